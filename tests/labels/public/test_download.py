import pytest

from judge_server.core.errors import BadInput
from judge_server.labels.public.download import download
from tests.labels.public.loopback import Site, serving

CONTENT = bytes(range(256)) * 2_000


@pytest.fixture
def site():
    with serving(Site(CONTENT)) as running:
        yield running


def test_a_file_is_fetched_whole_and_progress_is_told(site, tmp_path):
    told = []
    path = download(site.url, tmp_path / "cache", lambda done, total: told.append((done, total)))
    assert path.read_bytes() == CONTENT
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert [one.name for one in path.parent.iterdir()] == ["labels.csv"]


def test_a_transfer_that_broke_off_is_resumed(site, tmp_path):
    site.break_at = 100_000
    with pytest.raises(BadInput, match="100000 bytes are kept"):
        download(site.url, tmp_path)
    assert download(site.url, tmp_path).read_bytes() == CONTENT
    assert site.asked == [None, "bytes=100000-"]


def test_another_edition_meanwhile_is_fetched_from_the_beginning(site, tmp_path):
    site.break_at = 1_000
    with pytest.raises(BadInput):
        download(site.url, tmp_path)
    site.content, site.etag = CONTENT[::-1], '"two"'
    assert download(site.url, tmp_path).read_bytes() == CONTENT[::-1]


def test_a_server_that_cannot_resume_is_asked_for_the_whole(site, tmp_path):
    site.break_at, site.ranges = 1_000, False
    with pytest.raises(BadInput):
        download(site.url, tmp_path)
    assert download(site.url, tmp_path).read_bytes() == CONTENT


def test_a_part_that_is_the_whole_is_taken(site, tmp_path):
    (tmp_path / "labels.csv.part").write_bytes(CONTENT)
    assert download(site.url, tmp_path).read_bytes() == CONTENT


def test_offline_is_said_with_the_way_out(tmp_path):
    with serving(Site(CONTENT)) as gone:
        pass
    with pytest.raises(BadInput, match="cannot be fetched") as refused:
        download(gone.url, tmp_path)
    assert "--from FILE" in refused.value.remedy


def test_a_refusal_of_the_server_is_told(site, tmp_path):
    with pytest.raises(BadInput, match="404"):
        download(site.url.replace("labels", "other"), tmp_path)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://host/x", "http://127.0.0.1:1/", "gopher://x/y"])
def test_other_addresses_are_refused(tmp_path, url):
    with pytest.raises(BadInput) as refused:
        download(url, tmp_path)
    assert refused.value.remedy
