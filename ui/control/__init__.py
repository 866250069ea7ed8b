"""All that the panel knows and does, without a window: the command line and scripts could drive it as well."""
