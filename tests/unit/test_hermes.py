"""The drop-in's own client; what the functions do is shown over sockets."""

from nous_billing import hermes


def test_there_is_one_client_made_when_it_is_first_needed():
    hermes._client.cache_clear()
    hermes.invalidate_cached_token()
    assert hermes._client() is hermes._client()
    hermes._client().close()
    hermes._client.cache_clear()
