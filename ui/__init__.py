"""The PySide6 panel: a Qt-free controller plus views."""
