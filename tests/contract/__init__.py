"""One suite for docker_auth and for the lab's stand-in: both must give the same answer to every request.

The stand-in is always tested. With LAB_DOCKER_AUTH=/path/to/auth_server, every test also runs on the real program, and
the answers of both are compared. REGMIRROR_ACL_CASES sets the number of generated access lists.
"""
