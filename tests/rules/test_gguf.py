from tests.rules.cases import verdicts


def test_what_a_file_says_wrongly_is_high():
    assert verdicts("gguf.bounds", "header", problem="x") == [("MLG-GGF-003", "high")]
    assert verdicts("gguf.type", "general.alignment", problem="x") == [("MLG-GGF-004", "high")]
