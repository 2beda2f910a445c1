package main

import (
	"crypto/tls"
	"log"
	"net"
	"net/http"
	"sync"
)

// publicServer listens on the address for clients. When closed, it refuses connections and has dropped existing ones.
type publicServer struct {
	address string
	handler http.Handler
	seen    *sightings
	// certificate and key are PEM files; empty for plain HTTP.
	certificate, key string

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
	server := &http.Server{Handler: d.seen.watch(d.handler), ConnState: d.seen.countConnection}
	// Without HTTP/2, where many requests share a connection, a fault can end the connection of one request.
	server.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){}
	d.server = server
	go func() {
		if err := d.serve(server, listener); err != http.ErrServerClosed {
			log.Fatalf("serving on %s failed: %v", d.address, err)
		}
	}()
	return nil
}

func (d *publicServer) serve(server *http.Server, listener net.Listener) error {
	if d.certificate == "" {
		return server.Serve(listener)
	}
	return server.ServeTLS(listener, d.certificate, d.key)
}

func (d *publicServer) close() {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if d.server != nil {
		_ = d.server.Close()
		d.server = nil
	}
}
