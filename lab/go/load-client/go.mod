module lab/load-client

go 1.26.0
