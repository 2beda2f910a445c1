// Command client-parsers reads files of container runtimes with the runtimes' own parsers, and prints what they
// understand as JSON: "containerd NAME DIRECTORY" the hosts that containerd asks for a registry, in order; "resolve
// IMAGE CONFIG_PATH" the digest that a pull of the kubelet gets for an image; "k3s FILE" the mirrors, accounts and CA files in
// registries.yaml, which RKE2 reads with the same parser.
package main

import (
	"context"
	"encoding/json"
	"log"
	"os"

	"github.com/containerd/containerd/v2/core/remotes/docker/config"
	"github.com/containerd/containerd/v2/core/transfer/registry"
	"github.com/rancher/wharfie/pkg/registries"
)

type host struct {
	URL           string   `json:"url"`
	Authorization []string `json:"authorization"`
}

type account struct {
	Username string `json:"username"`
	Password string `json:"password"`
	CAFile   string `json:"caFile"`
}

func main() {
	if len(os.Args) < 3 {
		log.Fatal("usage: client-parsers containerd NAME DIRECTORY | resolve IMAGE CONFIG_PATH | k3s FILE")
	}
	understood, err := parse(os.Args[1], os.Args[2:])
	if err != nil {
		log.Fatal(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(understood); err != nil {
		log.Fatal(err)
	}
}

func parse(runtime string, words []string) (any, error) {
	switch runtime {
	case "containerd":
		return containerdHosts(words[0], words[1])
	case "resolve":
		return resolve(words[0], words[1])
	default:
		return k3sRegistries(words[0])
	}
}

// resolve does what the CRI plugin does with its config_path since containerd 2.1, by way of the transfer service.
func resolve(image, configPath string) (string, error) {
	source, err := registry.NewOCIRegistry(context.Background(), image, registry.WithHostDir(configPath))
	if err != nil {
		return "", err
	}
	_, descriptor, err := source.Resolve(context.Background())
	return string(descriptor.Digest), err
}

func containerdHosts(name, directory string) ([]host, error) {
	options := config.HostOptions{HostDir: config.HostDirFromRoot(directory)}
	found, err := config.ConfigureHosts(context.Background(), options)(name)
	hosts := []host{}
	for _, one := range found {
		hosts = append(hosts, host{one.Scheme + "://" + one.Host, one.Header["Authorization"]})
	}
	return hosts, err
}

func k3sRegistries(path string) (any, error) {
	read, err := registries.GetPrivateRegistries(path)
	if err != nil {
		return nil, err
	}
	endpoints, hosts := map[string][]string{}, map[string]account{}
	for name, mirror := range read.Registry.Mirrors {
		endpoints[name] = mirror.Endpoints
	}
	for name, settings := range read.Registry.Configs {
		one := account{}
		if settings.Auth != nil {
			one.Username, one.Password = settings.Auth.Username, settings.Auth.Password
		}
		if settings.TLS != nil {
			one.CAFile = settings.TLS.CAFile
		}
		hosts[name] = one
	}
	return map[string]any{"endpoints": endpoints, "hosts": hosts}, nil
}
