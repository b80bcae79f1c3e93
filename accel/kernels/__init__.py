"""Compiled loops over integer arrays; nothing here knows a layer, a mapping or an accelerator."""
