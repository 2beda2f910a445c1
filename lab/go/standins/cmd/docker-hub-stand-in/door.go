package main

import (
	"log"
	"net"
	"net/http"
	"sync"
)

// door is the address that clients know. Closed, it refuses connections and has dropped those it had.
type door struct {
	address string
	handler http.Handler

	mutex  sync.Mutex
	server *http.Server
}

// open does nothing where the door is open already.
func (d *door) open() error {
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
			log.Fatalf("Serving on %s: %v", d.address, err)
		}
	}()
	return nil
}

func (d *door) close() {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if d.server != nil {
		_ = d.server.Close()
		d.server = nil
	}
}
