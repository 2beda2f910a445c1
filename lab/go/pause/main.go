// Command pause does nothing as process 1 of a process namespace: it holds the namespaces of a pod, or of the whole
// lab, until it is told to stop, and leaves no zombie of the processes that end in them. It is what the pause image
// of Kubernetes is for (build/pause/linux/pause.c of kubernetes/kubernetes).
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	// The kernel reaps the children of a process that ignores SIGCHLD by itself.
	signal.Ignore(syscall.SIGCHLD)
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM)
	<-stop
}
