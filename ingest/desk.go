package ingest

import (
	"errors"
	"log/slog"
	"net/netip"

	"pushcart/stream"
)

// appName is the one application there is: rtmp://HOST/live, rtsp://HOST/live/KEY.
const appName = "live"

// Authorizer says which show a stream key belongs to. The error is a sentence for the host.
type Authorizer interface {
	Publish(key string, from netip.Addr) (name string, err error)
}

// Desk lets hosts in. Its methods are safe for concurrent use.
type Desk struct {
	Hub  *stream.Hub
	Auth Authorizer
	Log  *slog.Logger
}

// Open authorises r and makes its session the show's publisher. The error is a *Refusal.
func (d *Desk) Open(r Request) (Publisher, error) {
	if r.App != appName {
		return nil, &Refusal{`The server address must end in "/` + appName + `", as in rtmp://HOST/` + appName + `; the stream key goes into a field of its own.`}
	}
	name, err := d.Auth.Publish(r.Key, r.Remote.Addr())
	if err != nil {
		return nil, &Refusal{err.Error()}
	}
	pub, err := d.Hub.Publish(name, stream.Source{Protocol: r.Protocol, Remote: r.Remote.String(), Agent: r.Agent})
	switch {
	case errors.Is(err, stream.ErrBusy):
		return nil, &Refusal{"The server has no room for another show: try again later, or ask its operator."}
	case errors.Is(err, stream.ErrBarred):
		return nil, &Refusal{"An operator has ended this show: ask before you start it again."}
	case err != nil:
		return nil, &Refusal{"The server is shutting down: try again in a minute."}
	}
	return newSession(pub), nil
}
