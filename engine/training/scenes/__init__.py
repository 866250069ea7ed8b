"""Training scenes: mixes laid, balanced and spoilt; shards and pictures of them."""
