package main

import (
	"context"
	"crypto/rand"
	"errors"

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
// RTMP port, as any host would, with a key of its own that nobody else knows.
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
		s.log.Info("the demo show is on", "page", s.watchURL(demoName))
		return (&demo.Host{URL: s.publishURL() + "/" + string(key), Log: s.log}).Run(ctx)
	})
}
