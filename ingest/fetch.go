package ingest

import (
	"fmt"

	"pushcart/stream"
)

// Fetch makes a session the publisher of the show called name, for a door that has fetched it from a source
// in the operator's configuration: nobody has to be authorised. The error is stream's.
func (d *Desk) Fetch(name, protocol, remote, agent string) (Publisher, error) {
	pub, err := d.enter(name, part{}, stream.Source{Protocol: protocol, Remote: remote, Agent: agent})
	if err != nil {
		return nil, fmt.Errorf("publish %s: %w", name, err)
	}
	s := newSession(pub)
	s.host, s.messages, s.sound, s.mixer = d.host(pub.Stream()), d.Messages, d.Sound, d.Mixer
	return s, nil
}
