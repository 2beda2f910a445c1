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
	set.IntVar(&f.verbosity, "v", 0, "accepted and without effect: the stand-in has one level of detail")
	set.BoolVar(&f.logToStderr, "logtostderr", false, "log to standard error and to no file")
	set.BoolVar(&f.alsoLogToStderr, "alsologtostderr", false, "log to standard error and to a file of the temporary directory")
}

// openLog sends the log where docker_auth sends its own. Unless --logtostderr is given that includes a file, so a
// container with a read-only root file system fails at start here as it does with docker_auth.
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
