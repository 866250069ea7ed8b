"""The bundled trainer: material, Muddy Mix, losses, loops."""
