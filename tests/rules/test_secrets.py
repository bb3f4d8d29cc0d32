from tests.rules.cases import verdicts


def test_a_credential_is_high():
    assert verdicts("secret.credential", "GitHub token ghp_...Xy", name="GitHub token", where="cell 3") == [
        ("MLG-SEC-001", "high")
    ]
