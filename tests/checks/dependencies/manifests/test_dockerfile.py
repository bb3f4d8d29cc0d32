import contextlib
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlgate.checks.dependencies.manifest import Reading, Unreadable
from mlgate.checks.dependencies.manifests import dockerfile
from mlgate.core.limits import DEFAULT, Limits


def read(text, limits=DEFAULT):
    return dockerfile.read(text if isinstance(text, bytes) else text.encode(), limits)


def pins(text):
    return [(each.name, each.version, each.line) for each in read(f"FROM x\n{text}\n").requirements]


def includes(text):
    return [(each.path, each.role) for each in read(f"FROM x\n{text}\n").includes]


@pytest.mark.parametrize(
    ("path", "claimed"),
    [
        ("Dockerfile", True),
        ("docker/Dockerfile.gpu", True),
        ("gpu.Dockerfile", True),
        ("Containerfile", True),
        ("dockerfile", True),
        ("Dockerfile.dockerignore", False),
        ("Dockerfile.md", False),
        ("docker-compose.yml", False),
    ],
)
def test_a_dockerfile_has_one_of_its_names(path, claimed):
    assert dockerfile.claims(path) == claimed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("RUN pip install a==1", [("a", "1", 2)]),
        ("RUN pip3.11 install 'a==1' b==2", [("a", "1", 2), ("b", "2", 2)]),
        ("run python3 -m pip --no-cache-dir install a==1", [("a", "1", 2)]),
        ("RUN pip --proxy http://x install a==1", [("a", "1", 2)]),
        ("RUN /opt/venv/bin/pip install --target /x a==1", [("a", "1", 2)]),
        ("RUN pip install -U --upgrade-strategy eager a==1", [("a", "1", 2)]),
        ("RUN pip install --upgrade a==1", [("a", "1", 2)]),
        ("RUN pip install -qU a==1 -i https://x.org", [("a", "1", 2)]),
        ("RUN pip wheel -w /wheels a==1", [("a", "1", 2)]),
        ("RUN pip download a==1 -d /tmp/x", [("a", "1", 2)]),
        ("RUN uv pip install --system -p 3.11 a==1", [("a", "1", 2)]),
        ("RUN uv add --optional gpu a==1 && uv sync", [("a", "1", 2)]),
        ("RUN uv tool install a==1", [("a", "1", 2)]),
        ("RUN uvx --from a==1 b", [("a", "1", 2)]),
        ("RUN uvx a@1.2 --flag b==2", [("a", "1.2", 2)]),
        ("RUN uv run --with a==1,b==2 train.py c==3", [("a", "1", 2), ("b", "2", 2)]),
        ("RUN pipx install a==1", [("a", "1", 2)]),
        ("RUN poetry add a@1.2 b@^2 c==3", [("a", "1.2", 2), ("b", None, 2), ("c", "3", 2)]),
        ("RUN pdm add -d a==1", [("a", "1", 2)]),
        ("RUN pipenv install -d a==1", [("a", "1", 2)]),
        ("RUN conda install -y -c pytorch -n base pytorch==1.0 && conda clean -a", [("torch", "1.0", 2)]),
        ("RUN conda run -n base pip install a==1", [("a", "1", 2)]),
        ("RUN apt-get update && sudo -E pip install a==1; pip install b==2", [("a", "1", 2), ("b", "2", 2)]),
        ("RUN if true; then pip install a==1; fi", [("a", "1", 2)]),
        ("RUN (pip install a==1)", [("a", "1", 2)]),
        ('RUN bash -lc "pip install a==1 && pip install b==2"', [("a", "1", 2), ("b", "2", 2)]),
        ("RUN eval pip install a==1", [("a", "1", 2)]),
        ('RUN ["pip", "install", "a==1"]', [("a", "1", 2)]),
        ('RUN ["sh", "-c", "pip install a==1"]', [("a", "1", 2)]),
        (
            "RUN --mount=type=cache,target=/root/.cache \\\n  pip install \\\n  # why\n\n  a==1",
            [("a", "1", 6)],
        ),
        (
            "RUN <<EOF\npip install a==1\npip install b==2\nEOF\nRUN pip install c==3",
            [("a", "1", 3), ("b", "2", 4), ("c", "3", 6)],
        ),
        ("RUN <<-'EOF' bash\n\tpip install a==1\n\tEOF", [("a", "1", 3)]),
        ("RUN python <<EOF\npip install a==1\nEOF", []),
        ("CMD pip install a==1", [("a", "1", 2)]),
        ("ONBUILD RUN pip install a==1", [("a", "1", 2)]),
        ("ARG V=1\nRUN pip install a==$V", [("a", "1", 3)]),
        ("ENV V 1\nRUN pip install a==${V}", [("a", "1", 3)]),
        ('ENV V="a==1 b==2"\nRUN pip install $V', [("a", "1", 3), ("b", "2", 3)]),
        ("RUN pip install a==${V:-3}", [("a", "3", 2)]),
        ("RUN pip install a>=2", [("a", None, 2)]),
        ("# RUN pip install a==1", []),
        ("RUN echo pip install a==1", []),
        ("RUN pip uninstall a && pip list", []),
        ("RUN pip install --upgrade pip setuptools wheel", []),
        ("RUN pip install pip==23.0", [("pip", "23.0", 2)]),
        ("LABEL pip install a==1", []),
    ],
)
def test_reads_what_is_installed_with_its_line(text, expected):
    assert pins(text) == expected
    assert not read(f"FROM x\n{text}\n").problems


def test_another_escape_is_taken_from_its_directive():
    assert [each.line for each in read("# escape=`\nFROM x\nRUN pip install `\n a==1\n").requirements] == [4]


def test_constants_hold_in_their_stage_and_in_those_built_on_it():
    text = (
        "ARG G=1\nFROM x AS one\nARG G\nARG V=2\nRUN pip install a==$G b==$V\n"
        "FROM one\nRUN pip install c==$V\nFROM x\nRUN pip install d==$V\n"
    )
    seen = read(text)
    assert [(each.name, each.version) for each in seen.requirements] == [("a", "1"), ("b", "2"), ("c", "2")]
    assert [(each.reason, each.line, each.subject) for each in seen.problems] == [
        ("computed-requirement", 9, "d")
    ]


@pytest.mark.parametrize(
    "text",
    [
        "pip install $X",
        "pip install a==$X",
        "pip install $(cat x)",
        "pip install `x`",
        "cat x | xargs pip install",
    ],
)
def test_what_only_a_build_could_tell_is_said(text):
    (problem,) = read(f"FROM x\nRUN {text}\n").problems
    assert (problem.reason, problem.line) == ("computed-requirement", 2)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("RUN pip install -r requirements.txt", [("requirements.txt", "requirements")]),
        (
            "COPY docker/deps.txt /tmp/x.txt\nRUN pip install -r /tmp/x.txt",
            [("docker/deps.txt", "requirements")],
        ),
        (
            "COPY docker/deps.txt /tmp/\nRUN pip install -r /tmp/deps.txt",
            [("docker/deps.txt", "requirements")],
        ),
        ("WORKDIR /app\nCOPY a/deps.txt ./\nRUN pip install -r deps.txt", [("a/deps.txt", "requirements")]),
        ("COPY . /app\nRUN pip install -r /app/a/deps.txt", [("a/deps.txt", "requirements")]),
        (
            'COPY ["a/deps.txt", "b.txt", "/x/"]\nRUN pip install -r/x/deps.txt',
            [("a/deps.txt", "requirements")],
        ),
        ("COPY a/*.txt /x/\nRUN pip install --requirement=/x/deps.txt", [("a/deps.txt", "requirements")]),
        ("COPY a/deps.txt /x/\nRUN pip install --req /x/deps.txt", [("a/deps.txt", "requirements")]),
        (
            "RUN --mount=type=bind,source=a/deps.txt,target=/d.txt pip install -r /d.txt",
            [("a/deps.txt", "requirements")],
        ),
        ("COPY a/deps.txt /x/\nRUN uv pip sync /x/deps.txt", [("a/deps.txt", "requirements")]),
        ("COPY c.txt /x/\nRUN pip install -c /x/c.txt a==1", [("c.txt", "constraints")]),
        ("COPY . /app\nWORKDIR /app\nRUN pip install -e .[dev]", [(".", "project")]),
        ("COPY lib /app/lib\nRUN pip install /app/lib", [("lib", "project")]),
        ("WORKDIR /src\nCOPY pyproject.toml LICENSE ./\nRUN pip install .", [(".", "project")]),
        ("COPY a/pyproject.toml a/LICENSE /src/\nRUN pip install /src", [("a", "project")]),
        ("RUN conda env create -f environment.yml", [("environment.yml", "manifest")]),
        ("RUN poetry export -o r.txt && pip install -r r.txt", []),
        ("RUN pip wheel -w /wheels a==1\nRUN pip install /wheels/*", []),
        ("COPY . .\nRUN pip install -r /home/model-server/deps.txt", [("deps.txt", "requirements")]),
    ],
)
def test_files_are_looked_for_where_they_were_copied_from(text, expected):
    assert includes(text) == expected


def test_a_second_index_is_noted_without_credentials():
    (index,) = read("FROM x\nRUN pip install --extra-index-url https://u:p@x.org/simple?t=1 a==1\n").indexes
    assert (index.url, index.line) == ("https://***@x.org/simple", 2)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("RUN pip install --extra-index-url https://x.org/$(cat v) a==1", "https://x.org/$(cat v)"),
        ("ENV PIP_EXTRA_INDEX_URL=https://u:p@x.org/simple", "https://***@x.org/simple"),
        ("ARG UV_INDEX=https://x.org/simple", "https://x.org/simple"),
        ("RUN uv pip install --index mine=https://x.org/simple a==1", "https://x.org/simple"),
    ],
)
def test_every_way_to_a_second_index_is_noted(text, expected):
    seen = read(f"FROM x\nENV OTHER=1\nARG PIP_EXTRA_INDEX_URL\n{text}\n")
    assert [(index.url, index.line) for index in seen.indexes] == [(expected, 4)]
    assert not seen.problems


@pytest.mark.parametrize(
    ("text", "open_ones"),
    [
        ("COPY x.whl /x.whl\nRUN pip install /x.whl", 1),
        ("RUN pip install dist/*.whl", 1),
        ("RUN python setup.py bdist_wheel\nRUN pip install dist/*.whl", 0),
        ("RUN pip wheel -w /w a==1 && pip install /w/a.whl", 0),
        ("COPY x.whl /x.whl\nRUN pip wheel a==1 && pip install /x.whl", 1),
    ],
)
def test_a_wheel_counts_unless_the_build_makes_it(text, open_ones):
    kinds = [each.kind for each in read(f"FROM x\n{text}\n").requirements]
    assert kinds.count("local-requirement") == open_ones


def test_a_dockerfile_is_found_and_brings_in_what_it_installs(collect, pins, gaps):
    seen = collect(
        {
            "docker/Dockerfile": "FROM x\nCOPY docker/deps /tmp/deps\nRUN pip install -r /tmp/deps && pip install pillow\n",
            "docker/deps": "numpy==2.1.2\npillow==10.4.0\n",
            "Dockerfile": "FROM x\nRUN apt-get install -y python3-pip\n",
        }
    )
    assert pins(seen) == [("numpy", "2.1.2", "docker/deps", 1), ("pillow", "10.4.0", "docker/deps", 2)]
    assert gaps(seen) == []
    assert seen.sources[0].detail["read"] == ["docker/Dockerfile", "docker/deps"]


def test_what_is_not_in_the_repository_is_not_checked(collect, gaps):
    seen = collect({"Dockerfile": "FROM x\nRUN pip install -r /opt/deps.txt\nRUN pip install torch\n"})
    assert gaps(seen) == [("missing-include", "Dockerfile", 2), ("unpinned", "Dockerfile", 3)]


def test_variants_side_by_side_do_not_contradict_each_other(collect, kinds):
    seen = collect(
        {
            "Dockerfile.a": "FROM x\nRUN pip install numpy==2.1.2\n",
            "Dockerfile.b": "FROM x\nRUN pip install numpy==2.1.1\n",
        }
    )
    assert [kind for kind, _ in kinds(seen) if kind == "dependency.contradiction"] == []


def test_the_policy_can_leave_dockerfiles_out(collect, gaps):
    seen = collect(
        {"Dockerfile": "FROM x\nRUN pip install torch\n", "requirements.txt": "numpy==2.1.2\n"},
        "dependencies: {exclude: [Dockerfile]}",
    )
    assert gaps(seen) == []


@pytest.mark.parametrize("data", [b"RUN pip" + b"#" * (2 << 20)])
def test_what_is_no_dockerfile_is_refused(data):
    with pytest.raises(Unreadable):
        read(data)


@pytest.mark.parametrize(
    "text",
    ["", "RUN", "RUN \\", "RUN <<EOF", "RUN [", "COPY", "ENV", "ARG", "FROM", "RUN --mount=", "ONBUILD"],
)
def test_truncated_instructions_are_read_to_their_end(text):
    assert isinstance(read(text), Reading)


def test_too_many_are_said():
    seen = read("FROM x\nRUN pip install a b c d\n", Limits(requirements=2))
    assert [problem.reason for problem in seen.problems] == ["limit"]


FILE = "ARG A=1\nFROM x AS y\nENV B=2\nCOPY a.txt /x/\nRUN <<EOF\npip install a==$A\nEOF\nRUN pip install -r /x/a.txt $B\n"


@settings(
    max_examples=150, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
@given(
    st.binary(max_size=60)
    | st.integers(0, len(FILE)).map(lambda cut: FILE[:cut].encode())
    | st.lists(
        st.sampled_from(
            ["FROM", "RUN", "ENV", "ARG", "COPY", "A=$A", "<<E", "\nE\n", "\n", "\\\n", "[", "]", '"', "pip install",
             " -r", " x==1", "$A", "${A:-", "}", "conda install ", "--from=y", "/", ".", "*", "'", "#"]
        ),
        max_size=25,
    ).map(lambda parts: " ".join(parts).encode())
)  # fmt: skip
def test_whatever_the_bytes_it_answers(data):
    with contextlib.suppress(Unreadable):
        assert isinstance(read(data), Reading)


@pytest.mark.parametrize("data", [b"\xff\xfe", b"#" * (2 << 20)])
def test_what_names_no_tool_installs_nothing(data):
    assert dockerfile.read(data, DEFAULT) == Reading()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('RUN echo "<<EOF"\nRUN pip install a==1', [("a", "1", 3)]),
        ("RUN echo $((1<<X))\nRUN pip install a==1", [("a", "1", 3)]),
        ('RUN cat <<<"x"\nRUN pip install a==1', [("a", "1", 3)]),
        ("RUN cat << EOF\nRUN pip install a==1", [("a", "1", 3)]),
        ("RUN cat <<E-F\nRUN pip install b\nE-F\nRUN pip install a==1", [("a", "1", 5)]),
        ("RUN echo \\\\\nRUN pip install a==1", [("a", "1", 3)]),
        ("RUN echo \\\u00a0\nRUN pip install a==1", [("a", "1", 3)]),
        ("RUN true <<EOF # it's\nRUN pip install a==1\nEOF", [("a", "1", 3)]),
        ("RUN true <<EOF ${HOME?}\nRUN pip install a==1\nEOF", [("a", "1", 3)]),
        ("ONBUILD ENV A=1 <<EOF\nRUN pip install a==1\nEOF", [("a", "1", 3)]),
        ("ONBUILD RUN <<EOF\npip install a==1\nEOF", [("a", "1", 3)]),
        ("RUN cat <<EOF > ${X:-y}\npip install b\nEOF\nRUN pip install a==1", [("a", "1", 5)]),
        ("RUN python3 <<EOF\nimport pip\npip.main(['install', 'a==1'])\nEOF", [("a", "1", 4)]),
        ("RUN <<EOF\n#!/usr/bin/env python3\nos.system('pip install a==1')\nEOF", [("a", "1", 4)]),
        ("COPY <<EOF /r.txt\na==1\nEOF\nRUN pip install -r /r.txt", [("a", "1", 3)]),
        ("COPY <<r.txt <<s.txt /x/\na==1\nr.txt\nb\ns.txt\nRUN pip install -r /x/r.txt", [("a", "1", 3)]),
        ('SHELL ["pip", "install"]\nRUN a==1', [("a", "1", 3)]),
        ('SHELL ["/bin/bash", "-c"]\nRUN pip install a==1', [("a", "1", 3)]),
        ("RUN $PIP install a==1", [("a", "1", 2)]),
        ("RUN $(which pip) install a==1", [("a", "1", 2)]),
        ("RUN `which pip3` install a==1", [("a", "1", 2)]),
        ("RUN p\\\nip install a==1", [("a", "1", 3)]),
        ("RUN p''ip install a==1", [("a", "1", 2)]),
        ("RUN python -mpip install a==1", [("a", "1", 2)]),
        ('RUN echo "pip install a==1" | sh', [("a", "1", 2)]),
        ("RUN python get-pip.py a==1", [("a", "1", 2)]),
        ("RUN rye add a==1", [("a", "1", 2)]),
        ("RUN $PIPELINE install a==1", []),
        ("RUN apt-get install -y python3-pip$X", []),
    ],
)
def test_reads_instructions_as_buildkit_does(text, expected):
    assert re.search(dockerfile.MARK, f"FROM x\n{text}\n".encode())
    assert pins(text) == expected


@pytest.mark.parametrize(
    ("text", "pinned"),
    [
        ("# c\n# escape=`\nFROM x\nRUN pip install \\\n a==1", True),
        ("\n# escape=`\nFROM x\nRUN pip install \\\n a==1", True),
        ("# escape=`\nFROM x\nRUN pip install `\n a==1", True),
        ("# other=x\n# escape=`\nFROM x\nRUN pip install \\\n a==1", True),
        ("# syntax=docker/dockerfile:1\n# escape=`\nFROM x\nRUN pip install `\n a==1", True),
    ],
)
def test_directives_stand_before_everything_else(text, pinned):
    seen = read(text)
    assert [(each.name, each.version) for each in seen.requirements] == [("a", "1")] * pinned
    assert seen.problems == ()


@pytest.mark.parametrize(
    ("frontend", "known"),
    [
        ("docker/dockerfile:1", True),
        ("docker.io/docker/dockerfile-upstream:master-labs", True),
        ("mirror.example.org:5000/docker/dockerfile:1.7", True),
        ("devthefuture/dockerfile-x", False),
        ("example.org/dockerfile-plus:1", False),
        ("example.org/x docker/dockerfile:1", False),
    ],
)
@pytest.mark.parametrize("form", ["# syntax={}", "#!/usr/bin/env x\n# SYNTAX = {}", "// syntax={}"])
def test_another_frontend_reads_the_file_in_its_own_way(frontend, known, form):
    seen = read(f"{form.format(frontend)}\nFROM x\nRUN pip install a==1")
    assert [each.reason for each in seen.problems] == ([] if known else ["unsupported-manifest"])


def test_a_frontend_may_be_named_in_json():
    data = b'{"syntax": "example.org/x", "other": ""}'
    assert re.search(dockerfile.MARK, data)
    assert [each.reason for each in read(data).problems] == ["unsupported-manifest"]


@pytest.mark.parametrize(
    ("text", "problems", "files"),
    [
        ("RUN curl https://x/r.txt -o /r.txt && pip install -r /r.txt", ["computed-requirement"], []),
        ("RUN cat <<EOF > /r.txt\na==1\nEOF\nRUN pip install -r /r.txt", ["computed-requirement"], []),
        ("RUN uv export > /r.txt\nRUN pip install -r /r.txt", [], []),
        ("RUN uv export > /r.txt\nFROM z\nCOPY --from=x /r.txt /t/\nRUN pip install -r /t/r.txt", [], []),
        ("RUN pip freeze > s.txt\nRUN pip install -r r.txt", [], ["r.txt"]),
        ("COPY r.txt .\nRUN pip install -r r.txt && pip freeze > r.txt", [], ["r.txt"]),
        ("RUN pip install -r r.txt && pip freeze > r.txt", [], ["r.txt"]),
        ("RUN git clone https://x.org/y /opt/y\nWORKDIR /opt/y\nRUN pip install .", ["vcs-requirement"], []),
        ("ENV PIP_REQUIREMENT=r.txt\nRUN pip install", [], ["r.txt"]),
        ("RUN PIP_CONSTRAINT=c.txt pip install", [], ["c.txt"]),
        ("RUN python setup.py install", [], ["."]),
        ("RUN python setup.py build_ext --inplace", [], []),
    ],
)
def test_knows_the_repositorys_files_from_others(text, problems, files):
    seen = read(f"FROM x\n{text}\n")
    assert [each.reason for each in seen.problems] == problems
    assert [each.path for each in seen.includes] == files


@pytest.mark.parametrize(
    "text",
    [
        "RUN PIP_EXTRA_INDEX_URL=https://x.org pip install a==1",
        "RUN export PIP_EXTRA_INDEX_URL=https://x.org; pip install a==1",
        "ENV PIP_FIND_LINKS=https://x.org",
        "RUN pip config set global.extra-index-url https://x.org",
    ],
)
def test_an_index_may_be_a_setting(text):
    assert [each.url for each in read(f"FROM x\n{text}\n").indexes] == ["https://x.org"]
