"""``regmirror user``: the accounts of the mirror, and docker_auth's knowledge of them."""
