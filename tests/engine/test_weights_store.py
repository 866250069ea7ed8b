"""Cards, verification, strict tensors and fetching: every fault is one sentence and leaves nothing behind."""

import hashlib
import json
import os
import shutil
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from sightmix.engine.errors import Cancelled, ModelError, SettingsError, WriteError
from sightmix.engine.progress import Progress
from sightmix.engine.weights import (
    Card,
    add_card,
    fetch,
    list_cards,
    load_card,
    load_tensors,
    make_card,
    offer,
    save_tensors,
    store,
    strict_match,
    weights_path,
    write_card,
)
from sightmix.engine.weights.card import card_from, read_card

DATA = bytes(range(256)) * 40


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A weights folder of the user's own, with an empty home behind it."""
    folder = tmp_path / "weights"
    folder.mkdir()
    monkeypatch.setenv("SIGHTMIX_WEIGHTS", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    return folder


def card_of(data=DATA, **values):
    common = {
        "name": "toy",
        "kind": "toy",
        "file": "toy.bin",
        "size": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "licence": "CC0-1.0",
        "trained_on": ("nothing",),
    }
    return Card(**{**common, **values})


def as_data(card):
    return json.loads(json.dumps({**card.__dict__, "trained_on": list(card.trained_on)}))


# --- cards


def test_shipped_cards_are_whole_and_shipped_files_are_what_they_say(root):
    cards = {card.name: card for card in list_cards()}
    assert {"efficientnet-lite0", "clip-vit-l-14"} <= set(cards)
    for card in cards.values():
        assert card.licence
        assert card.trained_on
        if card.url is None:
            path = weights_path(card)
            assert path.parent == store.PACKAGED / "files"
            assert hashlib.sha256(path.read_bytes()).hexdigest() == card.sha256


def test_a_written_card_reads_back_the_same(root):
    card = card_of(
        config={"dim": 3}, results={"SI-SDR": 1.5}, url="https://example.org/toy.bin", source="Ärger"
    )
    path = add_card(card)
    assert path == root / "cards" / "toy.json"
    assert load_card("toy") == card
    assert card in list_cards()
    assert [p.name for p in path.parent.iterdir()] == ["toy.json"]


def test_a_typo_names_the_nearest_model(root):
    add_card(card_of())
    with pytest.raises(
        ModelError, match=r"no model called 'efficientnet-lit0' \(did you mean 'efficientnet-lite0'"
    ):
        load_card("efficientnet-lit0")
    with pytest.raises(ModelError, match=r"known are 'clip-vit-l-14', 'efficientnet-lite0'.*'toy'"):
        load_card("????")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"licence": None}, "gives 'licence' as None, not text"),
        ({"size": "12"}, "size that is not a number of bytes"),
        ({"size": True}, "size that is not a number of bytes"),
        ({"size": 0}, "size that is not a number of bytes"),
        ({"sha256": "zz"}, "sha256 that is not 64 hexadecimal digits"),
        ({"file": "../toy.bin"}, "names a file with a folder in it"),
        ({"file": ""}, "names a file with a folder in it"),
        ({"name": ""}, "has an empty name"),
        ({"url": 3}, "url that is not text"),
        ({"trained_on": [1]}, "trained_on that is not a list of texts"),
        ({"config": []}, "config that is not an object"),
        ({"results": 1}, "results that are not an object"),
        ({"licens": "x"}, r"has unknown 'licens' \(did you mean 'licence'\?\)"),
    ],
)
def test_wrong_card_is_refused_in_one_sentence(change, sentence):
    with pytest.raises(ModelError, match=sentence) as caught:
        card_from({**as_data(card_of()), **change}, "toy.json")
    assert str(caught.value).startswith("The model card toy.json ")
    assert "\n" not in str(caught.value)


def test_missing_keys_are_named():
    data = as_data(card_of())
    del data["sha256"], data["size"]
    with pytest.raises(ModelError, match="lacks 'size', 'sha256'"):
        card_from(data, "toy.json")


@pytest.mark.parametrize(("text", "sentence"), [("{", "cannot be read"), ("[]", "is not a JSON object")])
def test_broken_card_file(tmp_path, text, sentence):
    path = tmp_path / "toy.json"
    path.write_text(text)
    with pytest.raises(ModelError, match=sentence):
        read_card(path)


def test_card_under_another_name_is_refused(root):
    path = add_card(card_of())
    path.rename(path.with_name("other.json"))
    with pytest.raises(ModelError, match="describes 'toy'"):
        load_card("other")


def test_make_card_measures_the_file(tmp_path):
    path = tmp_path / "toy.bin"
    path.write_bytes(DATA)
    assert make_card(path, name="toy", kind="toy", licence="CC0-1.0", trained_on="nothing") == card_of()
    with pytest.raises(ModelError, match="cannot be read"):
        make_card(tmp_path / "absent", name="a", kind="b", licence="c", trained_on="d")


@pytest.mark.parametrize("value", [float("nan"), object()])
def test_a_card_holds_only_what_json_can(tmp_path, value):
    with pytest.raises(ModelError, match="card for toy cannot be written as JSON"):
        write_card(card_of(results={"SI-SDR": value}), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_failed_write_leaves_the_old_card(tmp_path, monkeypatch):
    path = write_card(card_of(), tmp_path)
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(WriteError, match="the disk is full"):
        write_card(card_of(licence="other"), tmp_path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


# --- finding and verifying


def test_weights_are_found_beside_the_cards_or_under_files(root):
    for place in (root, root / "files"):
        place.mkdir(exist_ok=True)
        (place / "toy.bin").write_bytes(DATA)
        assert weights_path(card_of()) == place / "toy.bin"
        (place / "toy.bin").unlink()


def test_absent_weights_say_where_they_belong(root):
    with pytest.raises(ModelError, match=r"toy.bin \(0.0 MB, CC0-1.0\) belongs in .*SIGHTMIX_WEIGHTS"):
        weights_path(card_of())
    with pytest.raises(ModelError, match=r"can be fetched from https://example.org/toy.bin"):
        weights_path(card_of(url="https://example.org/toy.bin"))


def test_damage_is_noticed_even_after_a_good_check(root):
    path = root / "toy.bin"
    path.write_bytes(DATA)
    weights_path(card_of())
    path.write_bytes(DATA[:-1] + b"x")
    os.utime(path, ns=(1, 1))
    with pytest.raises(ModelError, match="damaged or not those of 'toy'"):
        weights_path(card_of())
    path.write_bytes(DATA[:-1])
    with pytest.raises(ModelError, match="10,239 bytes long and should be 10,240"):
        weights_path(card_of())


def test_digest_is_computed_once_for_each_state_of_the_file(root, monkeypatch):
    path = root / "toy.bin"
    path.write_bytes(DATA)
    weights_path(card_of())
    monkeypatch.setattr(store, "file_digest", lambda path: pytest.fail("read again"))
    weights_path(card_of())


@pytest.mark.parametrize(
    ("platform", "variables", "folder"),
    [
        ("linux", {}, ".cache/sightmix/weights"),
        ("linux", {"XDG_CACHE_HOME": "/x"}, "/x/sightmix/weights"),
        ("darwin", {}, "Library/Caches/sightmix/weights"),
        ("win32", {}, "AppData/Local/sightmix/weights"),
        ("win32", {"LOCALAPPDATA": "/y"}, "/y/sightmix/weights"),
    ],
)
def test_cache_folder_of_each_platform(monkeypatch, platform, variables, folder):
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA", "SIGHTMIX_WEIGHTS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(Path, "home", lambda: Path("/home/editor"))
    assert store.cache_folder() == Path("/home/editor") / folder
    assert store.writable_root() == store.cache_folder()


# --- tensors

FLOATS = arrays(
    np.float32, array_shapes(max_dims=3, max_side=4), elements=st.floats(width=32, allow_nan=False)
)
NAMES = st.text("abc.0", min_size=1, max_size=6)


@given(st.dictionaries(NAMES, FLOATS, max_size=4))
def test_tensors_come_back_bit_for_bit(tmp_path_factory, tensors):
    path = tmp_path_factory.mktemp("t") / "t.safetensors"
    save_tensors(path, tensors, {"made": "here"})
    back = load_tensors(path)
    assert back.keys() == tensors.keys()
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(back[name], tensor)
        assert back[name].dtype == np.float32


def test_half_precision_is_widened_exactly(tmp_path):
    half = np.array([0.1, -65504, 6e-8], np.float16)
    save_tensors(tmp_path / "h.safetensors", {"h": half, "n": np.arange(3)})
    back = load_tensors(tmp_path / "h.safetensors")
    np.testing.assert_array_equal(back["h"], half.astype(np.float32))
    assert back["n"].dtype == np.float32


def test_bfloat16_is_widened_exactly(tmp_path):
    values = np.array([[1.0, -2.5, 3.140625], [0.0, 1e30, -1e-30]], np.float32)
    bits = (values.view(np.uint32) >> 16).astype("<u2")
    header = json.dumps(
        {
            "b": {"dtype": "BF16", "shape": [2, 3], "data_offsets": [0, 12]},
            "f": {"dtype": "F32", "shape": [1], "data_offsets": [12, 16]},
        }
    ).encode()
    header += b" " * (-len(header) % 8)
    path = tmp_path / "b.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + bits.tobytes() + np.float32(7).tobytes())
    back = load_tensors(path)
    np.testing.assert_array_equal(back["b"], (bits.astype(np.uint32) << 16).view(np.float32))
    np.testing.assert_array_equal(back["f"], [7])


def test_broken_tensor_files(tmp_path):
    path = tmp_path / "t.safetensors"
    save_tensors(path, {"a": np.ones(100, np.float32)})
    whole = path.read_bytes()
    for data in (b"", b"not safetensors at all", whole[:-7], whole[:20]):
        path.write_bytes(data)
        with pytest.raises(ModelError, match=r"not a whole safetensors file|cannot be read"):
            load_tensors(path)
    with pytest.raises(ModelError, match="cannot be read"):
        load_tensors(tmp_path / "absent.safetensors")


def test_strict_match_passes_what_fits():
    strict_match({"a": (2, 3), "b": [1]}, {"b": np.zeros(1), "a": np.zeros((2, 3))})


def test_strict_match_names_every_kind_of_fault():
    expected = {"enc.0.weight": (2, 3), "enc.0.bias": (2,), "head.weight": (4,)}
    tensors = {
        "enc.0.weight": np.zeros((3, 2)),
        "enc.0.biass": np.zeros(2),
        "zzz": np.zeros(1),
        "head.weight": np.zeros(4),
    }
    with pytest.raises(ModelError) as caught:
        strict_match(expected, tensors, "The weights of 'toy'")
    assert str(caught.value) == (
        "The weights of 'toy' do not fit the model: missing 'enc.0.bias' (is it 'enc.0.biass'?); "
        "unexpected 'enc.0.biass', 'zzz'; "
        "of another shape 'enc.0.weight' is (3, 2) and should be (2, 3)."
    )


def test_strict_match_counts_the_rest():
    with pytest.raises(ModelError, match="missing 'a0', 'a1', 'a2' and 7 more"):
        strict_match({f"a{i}": (1,) for i in range(10)}, {})


# --- fetching


class Server(ThreadingHTTPServer):
    """Answers each path with the bytes in `pages`; `cut` bytes are kept back though announced."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.pages = {}
        self.cut = 0
        self.asked = []


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        data = self.server.pages.get(self.path)
        if data is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) - self.server.cut])

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        server.pages["/toy.bin"] = DATA
        yield server
        server.shutdown()
        thread.join()


def url(server, path="/toy.bin"):
    return f"http://127.0.0.1:{server.server_address[1]}{path}"


def test_an_offer_shows_everything_and_asks_nobody(root, server):
    plan = offer(card_of(url=url(server)))
    assert (plan.size, plan.licence, plan.destination) == (len(DATA), "CC0-1.0", root / "toy.bin")
    assert not plan.present
    for part in (plan.url, "10,240 bytes", plan.sha256, "CC0-1.0", str(plan.destination)):
        assert part in plan.describe()
    assert server.asked == []


def test_fetched_weights_are_verified_and_then_found(root, server):
    steps = []
    card = card_of(url=url(server))
    path = fetch(card, progress=Progress(steps.append))
    assert path == weights_path(card) == root / "toy.bin"
    assert path.read_bytes() == DATA
    assert (steps[-1].done, steps[-1].total, steps[-1].unit) == (len(DATA), len(DATA), "bytes")
    fetch(card)
    assert server.asked == ["/toy.bin"]


def test_fetch_from_a_file_address(root, tmp_path):
    (tmp_path / "toy.bin").write_bytes(DATA)
    path = fetch(card_of(url=(tmp_path / "toy.bin").as_uri()))
    assert path.read_bytes() == DATA


@pytest.mark.parametrize(
    ("page", "cut", "sentence"),
    [
        (DATA[:-1] + b"x", 0, "is not 'toy'.*nothing was kept"),
        (DATA + b"x", 0, "more than the 10,240 bytes"),
        (DATA[:100], 0, "100 of the 10,240 bytes"),
        (DATA, 240, "10,000 of the 10,240 bytes"),
        (None, 0, "cannot be fetched from .*Not Found"),
    ],
    ids=["another file", "longer", "shorter", "cut off", "gone"],
)
def test_a_bad_answer_leaves_nothing_behind(root, server, page, cut, sentence):
    server.pages["/toy.bin"] = page
    server.cut = cut
    with pytest.raises(ModelError, match=sentence):
        fetch(card_of(url=url(server)))
    assert list(root.iterdir()) == []


def test_no_server_is_one_sentence(root, server):
    address = url(server)
    server.shutdown()
    server.server_close()
    with pytest.raises(ModelError, match="'toy' cannot be fetched from http://127"):
        fetch(card_of(url=address))
    assert list(root.iterdir()) == []


def test_cancelling_leaves_nothing_behind(root, server):
    progress = Progress()
    progress.observe = lambda step: progress.cancel()
    with pytest.raises(Cancelled):
        fetch(card_of(url=url(server)), progress=progress)
    assert list(root.iterdir()) == []


def test_what_cannot_be_fetched(root):
    with pytest.raises(ModelError, match="no address to fetch it from"):
        fetch(card_of())
    with pytest.raises(SettingsError, match="only be fetched by https, http or file"):
        fetch(card_of(url="ftp://example.org/toy.bin"))


def test_a_full_disk_is_noticed_before_anything_is_asked(root, server, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(100, 99, 1))
    with pytest.raises(WriteError, match="10,240 bytes are needed and 1 are free"):
        fetch(card_of(url=url(server)))
    assert server.asked == []


def test_a_folder_that_cannot_be_made(root, server):
    (root / "file").write_text("in the way")
    with pytest.raises(WriteError, match="cannot be used for weights"):
        fetch(card_of(url=url(server)), root / "file" / "below")


def test_a_damaged_file_in_place_is_reported_and_kept(root, server):
    (root / "toy.bin").write_bytes(DATA[:-1])
    with pytest.raises(ModelError, match="remove the file"):
        fetch(card_of(url=url(server)))
    assert (root / "toy.bin").read_bytes() == DATA[:-1]
    assert server.asked == []
