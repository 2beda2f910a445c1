module lab/standins

go 1.26.0

require (
	go.yaml.in/yaml/v2 v2.4.4
	golang.org/x/crypto v0.58.0
)
