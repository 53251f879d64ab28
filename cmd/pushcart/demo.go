package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"

	"pushcart/auth"
	"pushcart/demo"
)

// demoCmd is a first look at the server without an encoder.
type demoCmd struct {
	configFlag
}

// demoName is the show that the built-in host publishes.
const demoName = "demo"

// Run serves as serve does. Once the listeners are open, the built-in host publishes to the server's own
// RTMP port, as any host would, with a key of its own that nobody else knows. The page's
// address is printed to standard output.
func (c *demoCmd) Run(p *program) error {
	conf, err := c.load(p)
	if err != nil {
		return err
	}
	if conf.RTMP.Listen == off {
		return errors.New("the demo's host publishes by RTMP: set rtmp.listen")
	}
	key := auth.Secret(rand.Text())
	conf.Auth.AllowLoopback = conf.Auth.AllowLoopback || !conf.Auth.Configured() // as it would be without the key
	conf.Auth.Keys = append(conf.Auth.Keys, auth.Key{Name: demoName, Key: key})
	return p.serve(conf, func(ctx context.Context, s *server) error {
		welcome(p.stdout, s, conf.Auth.AllowLoopback)
		return (&demo.Host{URL: s.publishURL() + "/" + string(key), Log: s.log}).Run(ctx)
	})
}

// welcome says where the show is, and how to put one's own beside it where that needs no key.
func welcome(w io.Writer, s *server, open bool) {
	page := s.watchURL(demoName)
	if page == "" {
		page = "nowhere to be seen: origin.listen is off"
	}
	fmt.Fprintf(w, "\n  The demo show is on:\n\n      %s\n\n", page)
	if open {
		fmt.Fprintf(w, "  Your own beside it: publish to %s with any name as the stream key,\n  and open %s\n\n", s.publishURL(), s.watchURL("NAME"))
	}
	fmt.Fprint(w, "  Ctrl-C ends it.\n\n")
}
