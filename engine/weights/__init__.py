"""Model cards as data, the weights store and strict loading."""

from .fetching import Offer, fetch, offer
from .store import (
    Card,
    add_card,
    find_file,
    list_cards,
    load_card,
    load_tensors,
    make_card,
    save_tensors,
    strict_match,
    weights_path,
    write_card,
)

__all__ = [
    "Card",
    "Offer",
    "add_card",
    "fetch",
    "find_file",
    "list_cards",
    "load_card",
    "load_tensors",
    "make_card",
    "offer",
    "save_tensors",
    "strict_match",
    "weights_path",
    "write_card",
]
