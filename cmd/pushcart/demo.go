package main

import (
	"context"

	"pushcart/demo"
)

// demoCmd is a first look at the server without an encoder.
type demoCmd struct {
	configFlag
}

// demoName is the show that the built-in host publishes.
const demoName = "demo"

// Run serves as serve does. Once the listeners are open, the built-in host publishes to the server's own
// RTMP port, as any host would.
func (c *demoCmd) Run(p *program) error {
	conf, err := c.load(p)
	if err != nil {
		return err
	}
	conf.Auth.AllowLoopback = true // the host comes from this machine and has no key
	return p.serve(conf, func(ctx context.Context, s *server) error {
		s.log.Info("the demo show is on", "page", s.watchURL(demoName))
		return (&demo.Host{URL: s.publishURL() + "/" + demoName, Log: s.log}).Run(ctx)
	})
}
