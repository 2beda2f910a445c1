// The docker_auth stand-in answers token requests like docker_auth 1.14, from docker_auth's own configuration file, so
// that the lab can run where the real program is not available. It has the same command line:
//
//	docker-auth-stand-in [--v=N] [--logtostderr] [--alsologtostderr] CONFIGURATION
//
// It supports static users, a static access list and RSA keys. Any other setting in the configuration file is an error
// at start, so that no difference goes unnoticed. tests/contract checks that both programs give the same answers. Every
// answer of the stand-in has the header "X-Regmirror-Lab: docker_auth stand-in".
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
	log.Print("this is the regmirror lab's stand-in for docker_auth")
	if err := run(flag.Arg(0)); err != nil {
		fmt.Fprintf(os.Stderr, "docker_auth stand-in: %v\n", err)
		os.Exit(1)
	}
}

// run serves until the process receives a signal. It always returns an error: docker_auth also exits with 1.
func run(file string) error {
	if file == "" {
		return errors.New("requires exactly one argument, the configuration file")
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

// watchFile reports changes of the file's content. A file that is missing for a while is not a change: docker_auth also
// keeps serving. It reads the file instead of watching the inode, because Kubernetes replaces links to update a Secret.
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
