"""A folder of ours, and the files of somebody else."""

import os

import pytest

STRANGER = 65533


@pytest.fixture
def folder(tmp_path):
    """A folder that nobody else can write."""
    made = tmp_path / "folder"
    made.mkdir(mode=0o700)
    return made.resolve()


@pytest.fixture
def give():
    """Give a file, a folder or a link to another user."""
    if os.geteuid() != 0:
        pytest.skip("only root can give a file to another user")

    def give_away(path, user=STRANGER):
        os.lchown(path, user, user)
        return path

    return give_away
