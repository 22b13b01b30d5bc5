"""Made by scripts/generate.py"""
