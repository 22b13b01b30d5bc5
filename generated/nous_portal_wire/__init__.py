# nous_portal_wire/__init__.py: made by scripts/generate.py
"""The light parts of nous_portal_api"""
