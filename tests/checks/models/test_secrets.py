import random
import string

import pytest
from tests.checks.models.credentials import AWS, GITHUB, HUGGING_FACE, PRIVATE_KEY, drawn

from mlgate.checks.models.secrets import secrets

ALNUM = string.ascii_letters + string.digits


def names(text):
    return [secret.name for secret in secrets(text)]


REAL = {
    "AWS access key": AWS,
    "AWS secret key": f"aws_secret_access_key = {drawn(40)}",
    "GitHub token": GITHUB,
    "GitLab token": f"glpat-{drawn(20)}",
    "Hugging Face token": HUGGING_FACE,
    "OpenAI key": f"sk-proj-{drawn(74)}T3BlbkFJ{drawn(74)}",
    "Anthropic key": f"sk-ant-api03-{drawn(93)}AA",
    "Google key": f"AIza{drawn(35)}",
    "Slack token": f"xoxb-{drawn(12, string.digits)}-{drawn(12, string.digits)}-{drawn(24)}",
    "Slack webhook": f"https://hooks.slack.com/services/T0ABCDEF1/B0ABCDEF2/{drawn(24)}",
    "PyPI token": f"pypi-AgEIcHlwaS5vcmc{drawn(120)}",
    "npm token": f"npm_{drawn(36)}",
    "Kaggle key": f'{{"username":"someone","key":"{drawn(32, "0123456789abcdef")}"}}',
    "private key": PRIVATE_KEY,
    "password in an address": "postgres://ml:Hx93kfLq2w@db.corp.net/features",
}


@pytest.mark.parametrize(("name", "text"), REAL.items(), ids=REAL.keys())
def test_a_credential_is_found_wherever_it_stands_and_not_shown(name, text):
    for written in (text, f"x = '{text}'\n", f'{{"a": "b\\n{text}"}}', f"\n{text}\n"):
        found = list(secrets(written))
        assert [each.name for each in found] == [name]
        assert len(found[0].masked) < 60
        assert text[-12:] not in found[0].masked


def test_the_old_github_token_and_the_fine_grained_one():
    assert names(f"github_pat_{drawn(22)}_{drawn(59)}") == ["GitHub token"]
    # The checksum at a token's end is part of its shape.
    assert names(f"ghp_{drawn(36)}") == []


def test_a_private_key_inside_json():
    assert names(PRIVATE_KEY.replace("\n", "\\n")) == ["private key"]


@pytest.mark.parametrize(
    "text",
    [
        "AKIAIOSFODNN7EXAMPLE",
        "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "ghp_" + "x" * 36,
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        "hf_" + "x" * 34,
        "hf_" + "A" * 34,
        "hf_transformers_model_for_sequence_classification",
        "hf_" + "abcdefghijklmnopqrstuvwxyzabcdefgh",
        "sk-" + "x" * 48,
        "sk-...",
        "AIzaSyYOUR_API_KEY_HERE_00000000000000000",
        "xoxb-your-token-here",
        "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
        "-----BEGIN RSA PRIVATE KEY-----\\nMIIE...",
        "-----BEGIN CERTIFICATE-----\n" + "MIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBaMQswCQYDVQQG" * 3,
        "https://user:password@example.com/",
        "https://someone:s3cr3tPassw0rd@host/x",
        "postgresql://postgres:postgres@localhost:5432/db",
        "postgresql://app:Hx93kfLq2w@localhost:5432/db",
        "https://{user}:{password}@host.net/",
        "https://$USER:$TOKEN@github.com/a/b",
        "https://user:<YOUR-TOKEN>@github.com/a/b",
        "http://www.w3.org/2001/XMLSchema:string@en",
        "git+ssh://git@github.com:owner/repo.git",
        "s3://bucket/key:part@version",
        '{"username": "x", "key": "value"}',
    ],
)
def test_placeholders_and_examples_of_manuals_are_left_alone(text):
    assert names(text) == []


def test_an_image_in_a_notebook_holds_none():
    image = "".join(random.Random(3).choices(ALNUM + "+/", k=2_000_000))
    assert names(image) == []


def test_many_are_not_all_told():
    assert len(names("\n".join(f"hf_{drawn(34)}" for _ in range(500)))) == 100
    assert len(names("postgres://ml:Hx93kfLq2w@db.corp.net/ " * 5000)) <= 1000
