package main

import (
	"log"
	"net"
	"net/http"
	"sync"
)

// publicServer listens on the address for clients. When closed, it refuses connections and has dropped existing ones.
type publicServer struct {
	address string
	handler http.Handler

	mutex  sync.Mutex
	server *http.Server
}

// open does nothing if the server is already open.
func (d *publicServer) open() error {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if d.server != nil {
		return nil
	}
	listener, err := net.Listen("tcp", d.address)
	if err != nil {
		return err
	}
	d.address = listener.Addr().String()
	server := &http.Server{Handler: d.handler}
	d.server = server
	go func() {
		if err := server.Serve(listener); err != http.ErrServerClosed {
			log.Fatalf("serving on %s failed: %v", d.address, err)
		}
	}()
	return nil
}

func (d *publicServer) close() {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if d.server != nil {
		_ = d.server.Close()
		d.server = nil
	}
}
