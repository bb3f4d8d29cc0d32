"""OSV's export over HTTP, from a service on this machine: whole and current, or an error."""

import base64
import contextlib
import datetime as dt
import io
import json
import zipfile

import pytest

from mlgate.checks.dependencies.advisories import export, sources
from mlgate.checks.dependencies.advisories.download import Patience, UnavailableError, check_address, download
from mlgate.checks.dependencies.advisories.files import AdvisoriesError

NOW = dt.datetime(2026, 6, 15, 12, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
QUICK = Patience(idle=0.3, total=1.0, size=1 << 20)


@pytest.fixture
def publish(service, osv, database):
    """Let the service have an export of these records."""

    def make(*records, etag='"one"', **more):
        service.body = database(*(records or [osv("A-1", "torch")])).read_bytes()
        service.etag = etag

    make()
    return make


@pytest.fixture
def choose(scope_of, folder, publish):
    """Ask for a database at a time."""

    def run(now=NOW, **more):
        return sources.choose(scope_of({}, offline=False, **more), {"torch"}, now, QUICK)

    return run


def kept(folder):
    return (
        sorted(path.suffix for path in (folder / "export").iterdir()) if (folder / "export").is_dir() else []
    )


def test_it_is_fetched_verified_and_kept(service, choose, folder):
    service.sign()
    found = choose()
    assert (found.origin, found.confirmed, found.covered) == ("fetched", "2026-06-15", None)
    assert (found.total, set(found.records)) == (1, {"torch"})
    assert kept(folder) == [".json", ".zip"]
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.rglob("*"))
    assert service.asked[0]["User-Agent"].startswith("mlgate/")


@pytest.mark.parametrize(("hours", "asked"), [(0, 1), (23, 1), (24, 2), (-2, 2)])
def test_it_is_used_for_a_day_without_asking(service, choose, hours, asked):
    first = choose()
    second = choose(NOW + hours * HOUR)
    assert second.digest == first.digest
    assert len(service.asked) == asked


def test_what_is_unchanged_is_not_sent_again(service, choose):
    choose()
    later = choose(NOW + 30 * HOUR)
    assert service.asked[1]["If-None-Match"] == '"one"'
    assert (later.origin, later.confirmed) == ("fetched", "2026-06-16")
    choose(NOW + 50 * HOUR)
    assert len(service.asked) == 2


def test_what_changed_is_fetched(service, choose, publish, osv, folder):
    choose()
    publish(osv("A-1", "torch"), osv("A-2", "torch"), etag='"two"')
    assert choose(NOW + 30 * HOUR).total == 2
    assert json.loads(next((folder / "export").glob("*.json")).read_text())["etag"] == '"two"'


def test_without_a_cache_folder_it_is_fetched_every_time(service, choose, folder):
    folder.parent.chmod(0o700)
    folder.write_text("a file stands there")
    assert choose().total == choose().total == 1
    assert len(service.asked) == 2


def break_status(service):
    service.status = 500


def refuse(service):
    service.close()
    service.close = lambda: None


def truncate(service):
    service.cut = 100


def truncate_without_length(service):
    service.cut, service.length = 100, "none"


def sign_wrongly(service):
    service.headers["x-goog-hash"] = f"md5={base64.b64encode(bytes(16)).decode()}"


def sign_wrongly_by_crc(service):
    service.headers["x-goog-hash"] = "crc32c=AAAAAA=="


def answer_late(service):
    service.pause = 2.0


def drip(service):
    service.body, service.drip = bytes(4000), 8


def grow(service):
    service.body = bytes((1 << 20) + 1)


def grow_without_length(service):
    grow(service)
    service.length = "none"


def send_a_page(service):
    service.body = b"<html>please log in</html>"


def send_nothing(service):
    service.body = b""


def send_an_empty_zip(service):
    stream = io.BytesIO()
    zipfile.ZipFile(stream, "w").close()
    service.body = stream.getvalue()


def send_a_damaged_zip(service):
    service.body = service.body.replace(b'"A-1"', b'"A-9"')


def encode(service):
    service.headers["Content-Encoding"] = "gzip"


def redirect(service):
    service.status, service.headers["Location"] = 302, "http://localhost:1/all.zip"


def redirect_to_a_file(service):
    service.status, service.headers["Location"] = 302, "file:///etc/hostname"


def redirect_in_a_circle(service):
    service.status, service.headers["Location"] = 302, service.url


FAILURES = [
    (break_status, "answered 500"),
    (refuse, "refused"),
    (truncate, "truncated"),
    (truncate_without_length, "no readable zip"),
    (sign_wrongly, "md5 checksum"),
    (sign_wrongly_by_crc, "crc32c checksum"),
    (answer_late, "in time"),
    (drip, "longer than 1 second"),
    (grow, "larger than 1 MiB"),
    (grow_without_length, "larger than 1 MiB"),
    (send_a_page, "no readable zip"),
    (send_nothing, "no readable zip"),
    (send_an_empty_zip, "no record"),
    (send_a_damaged_zip, "damaged member"),
    (encode, "encoding"),
    (redirect, "another host"),
    (redirect_to_a_file, "answered 302|another host"),
    (redirect_in_a_circle, "answered 302"),
]


@pytest.mark.parametrize(("fail", "words"), FAILURES, ids=[fail.__name__ for fail, _ in FAILURES])
def test_anything_else_is_an_error_and_is_not_kept(service, choose, folder, fail, words):
    fail(service)
    with pytest.raises(UnavailableError, match=words):
        choose()
    assert kept(folder) == []


@pytest.mark.parametrize("status", [301, 400, 403, 404, 429, 503, 204, 206])
def test_every_status_but_one_is_an_error(service, choose, status):
    service.status = status
    with pytest.raises(UnavailableError):
        choose()


def test_not_modified_is_an_error_where_nothing_is_held(service, choose):
    service.status = 304
    with pytest.raises(UnavailableError, match="304"):
        choose()


def test_a_failure_a_day_later_does_not_fall_back_on_what_is_held(service, choose, folder):
    choose()
    service.status = 503
    with pytest.raises(UnavailableError, match="503"):
        choose(NOW + 25 * HOUR)
    assert kept(folder) == [".json", ".zip"]


def test_a_redirect_within_the_host_is_followed(service, choose):
    answer = service.answer

    def moved(request):
        if request.path == "/PyPI/all.zip":
            service.status, service.headers["Location"] = 302, "/moved.zip"
        else:
            service.status = 200
        answer(request)

    service.answer = moved
    assert choose().total == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/all.zip",
        "http://127.0.0.1.example.org/all.zip",
        "http://127.0.0.1@example.org/all.zip",
        "file:///etc/passwd",
        "ftp://example.org/all.zip",
        "https://",
        "https:///all.zip",
        "http://[::1",
        "https://exa mple.org/",
        "https://example.org/\r\nHost: x",
        "all.zip",
        "",
    ],
)
def test_only_https_and_this_machine_are_asked(url):
    with pytest.raises(UnavailableError, match="address"):
        check_address(url)
    with pytest.raises(UnavailableError, match="address"):
        download(url, io.BytesIO())


@pytest.mark.parametrize(
    "url", [export.ADDRESS, "https://mirror.example.org:8443/osv.zip", "http://localhost:8000/x"]
)
def test_these_are_asked(url):
    check_address(url)


def offline(scope_of):
    return sources.choose(scope_of({}, offline=True), {"torch"}, NOW)


def test_offline_the_export_held_last_is_used_whatever_its_age(service, choose, scope_of):
    choose()
    service.close()
    service.close = lambda: None
    found = sources.choose(scope_of({}, offline=True), {"torch"}, NOW + 2400 * HOUR)
    assert (found.origin, found.confirmed, found.total) == ("cached", "2026-06-15", 1)


def test_offline_without_an_export_the_bundled_set_is_used(service, choose, scope_of):
    assert offline(scope_of).origin == "bundled"
    assert service.asked == []


def test_another_mirrors_export_is_not_used(service, choose, scope_of, monkeypatch):
    choose()
    monkeypatch.setenv("MLGATE_OSV_URL", "https://mirror.example.org/all.zip")
    assert offline(scope_of).origin == "bundled"


def state(folder):
    return next((folder / "export").glob("*.json"))


def data(folder):
    return next((folder / "export").glob("*.zip"))


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: state(folder).write_text(""),
        lambda folder: state(folder).write_text("{}"),
        lambda folder: state(folder).write_text("[" * 9000),
        lambda folder: state(folder).chmod(0o666),
        lambda folder: data(folder).chmod(0o666),
        lambda folder: data(folder).unlink(),
        lambda folder: state(folder).write_text(
            state(folder).read_text().replace('"sha256":"', '"sha256":"../')
        ),
        lambda folder: state(folder).write_text(state(folder).read_text().replace("Z", "")),
    ],
)
def test_a_cache_that_cannot_be_trusted_is_as_none(service, choose, folder, scope_of, damage):
    choose()
    damage(folder)
    assert offline(scope_of).origin == "bundled"
    assert choose(NOW + HOUR).origin == "fetched"
    assert "If-None-Match" not in service.asked[1]


@pytest.mark.parametrize("hours", [1, 30])
def test_damaged_bytes_are_fetched_anew(service, choose, folder, hours):
    first = choose()
    for path in (folder / "index").iterdir():
        path.unlink()
    data(folder).write_bytes(b"damaged")
    again = choose(NOW + hours * HOUR)
    assert (again.digest, again.total) == (first.digest, first.total)
    assert "If-None-Match" not in service.asked[-1]


def test_damaged_bytes_are_an_error_offline(service, choose, folder, scope_of):
    choose()
    for path in (folder / "index").iterdir():
        path.unlink()
    data(folder).write_bytes(data(folder).read_bytes()[:-1] + b"x")
    with pytest.raises(AdvisoriesError):
        offline(scope_of)


def test_a_given_database_leaves_the_network_alone(service, choose, osv, database):
    assert choose(advisories=database(osv("B-1", "torch"))).origin == "given by --advisories"
    assert service.asked == []


def test_the_policys_database_leaves_the_network_alone(service, choose, osv, database, tmp_path):
    (tmp_path / "db.zip").write_bytes(database(osv("B-1", "torch")).read_bytes())
    found = choose(policy="dependencies: {advisories: {path: db.zip}}")
    assert (found.origin, found.name) == ("given by the policy", "db.zip")
    assert service.asked == []


def test_a_large_answer_is_not_read_on(service, choose):
    service.length = str(600 << 20)
    with contextlib.suppress(UnavailableError):
        choose()
    assert len(service.asked) == 1
