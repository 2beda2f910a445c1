package main

import (
	"flag"
	"io"
	"log"
	"os"
)

// logFlags are the command line flags of docker_auth that its Helm charts use.
type logFlags struct {
	verbosity       int
	logToStderr     bool
	alsoLogToStderr bool
}

func (f *logFlags) register(set *flag.FlagSet) {
	set.IntVar(&f.verbosity, "v", 0, "ignored: the stand-in has one log level")
	set.BoolVar(&f.logToStderr, "logtostderr", false, "log only to standard error")
	set.BoolVar(&f.alsoLogToStderr, "alsologtostderr", false, "log to standard error and to a file in the temporary directory")
}

// openLog logs to the same destinations as docker_auth. Without --logtostderr, they include a file, so that a container
// with a read-only root file system fails to start, as with docker_auth.
func (f *logFlags) openLog() error {
	log.SetPrefix("docker_auth stand-in: ")
	log.SetFlags(log.LstdFlags | log.LUTC | log.Lmsgprefix)
	if f.logToStderr {
		return nil
	}
	file, err := os.CreateTemp("", "docker-auth-stand-in.*.log")
	if err != nil {
		return err
	}
	log.SetOutput(file)
	if f.alsoLogToStderr {
		log.SetOutput(io.MultiWriter(os.Stderr, file))
	}
	return nil
}
