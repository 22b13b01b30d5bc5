"""The light parts of nous_portal_api, made by scripts/generate.py"""
