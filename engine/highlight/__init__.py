"""VisAH and the product model: networks, windows, streaming inference, remix."""
