"""One suite for docker_auth and for the lab's stand-in for it: whatever it asks, both must answer alike.

The stand-in is always tested. LAB_DOCKER_AUTH=/path/to/auth_server puts the real program beside it: every test then
runs on both, and each case's two answers are compared. REGMIRROR_ACL_CASES sets how many access lists are generated.
"""
