// Command pause is PID 1 of a PID namespace: it holds the namespaces of a pod, or of the whole lab, until it receives a
// signal, and reaps the processes that end in them, like the pause image of Kubernetes (build/pause/linux/pause.c of
// kubernetes/kubernetes).
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	// The kernel reaps the children of a process that ignores SIGCHLD.
	signal.Ignore(syscall.SIGCHLD)
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM)
	<-stop
}
