// The docker_auth stand-in answers token requests as docker_auth 1.14 does, from docker_auth's own configuration
// file, so that the lab can run where the real program cannot be had. It takes the same place on the command line:
//
//	docker-auth-stand-in [--v=N] [--logtostderr] [--alsologtostderr] CONFIGURATION
//
// It knows static users, a static access list and RSA keys. Whatever else the configuration file asks for is an
// error at start, so that nothing differs silently. tests/contract holds both programs to the same answers, of
// which every one of the stand-in carries the header "X-Regmirror-Lab: docker_auth stand-in".
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	flags := logFlags{}
	flags.register(flag.CommandLine)
	flag.Parse()
	if err := flags.openLog(); err != nil {
		fmt.Fprintf(os.Stderr, "docker_auth stand-in: %v\n", err)
		os.Exit(2)
	}
	log.Print("This is the regmirror lab's stand-in for docker_auth, not docker_auth itself")
	if err := run(flag.Arg(0)); err != nil {
		fmt.Fprintf(os.Stderr, "docker_auth stand-in: %v\n", err)
		os.Exit(1)
	}
}

// run serves until the process is told to stop. It always returns an error: docker_auth too ends with status 1.
func run(file string) error {
	if file == "" {
		return errors.New("name the configuration file as the one argument")
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	changes := watchFile(file)
	configuration, err := loadConfiguration(file)
	if err != nil {
		return err
	}
	server, err := startServer(configuration)
	if err != nil {
		return err
	}
	for {
		select {
		case <-changes:
			if server, err = replaceServer(server, file); err != nil {
				return err
			}
		case received := <-stop:
			_ = server.Shutdown(context.Background())
			return fmt.Errorf("stopped by signal: %v", received)
		}
	}
}

// watchFile reports when the file's content has changed. A file that is gone for a while is no change: docker_auth
// goes on serving as well. Reading beats watching the inode here, because Kubernetes swaps links to update a Secret.
func watchFile(file string) <-chan struct{} {
	changes := make(chan struct{})
	last, _ := os.ReadFile(file)
	go func() {
		for range time.Tick(time.Second) {
			now, err := os.ReadFile(file)
			if err != nil || bytes.Equal(now, last) {
				continue
			}
			last = now
			changes <- struct{}{}
		}
	}()
	return changes
}
