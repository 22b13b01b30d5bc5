# nous_portal_wire/api/billing/__init__.py: made by scripts/generate.py
