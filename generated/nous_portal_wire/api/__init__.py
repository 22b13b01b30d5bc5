# nous_portal_wire/api/__init__.py: made by scripts/generate.py
