package ingest

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"pushcart/auth"
	"pushcart/stream"
)

// appName is the one application there is: rtmp://HOST/live, rtsp://HOST/live/KEY.
const appName = "live"

// Authorizer says what a stream key is good for. The error is a sentence for the host.
type Authorizer interface {
	Publish(key string, from netip.Addr) (auth.Grant, error)
}

// Messages hears what hosts' encoders send beside picture and sound.
type Messages interface {
	// HostMessage is called for each data message of a show's host but its metadata. Name is its handler's
	// ("onTextData"), args are values that JSON has, too: nil, bool, float64 (dates: milliseconds since
	// 1970), string, []any, map[string]any; the callee owns them. At is the message's time on the show's
	// timeline, on the clock of presentation. It must not block, and is called from the session's goroutine.
	HostMessage(s *stream.Stream, name string, args []any, at time.Duration)
}

// Mixer makes sound of sound. It is asked when a track is announced, and must not block.
type Mixer interface {
	// Converts reports whether sound in a codec that HLS can't carry is made into one that it can, in the show called
	// name. As long as that is not known, it says yes.
	Converts(name string) bool
	// Mixes reports whether a voice is mixed with the sound of the show called name: then viewers get the mix, and
	// the voice itself only goes into it.
	Mixes(name string) bool
}

// Desk lets hosts in, and those who stand beside them. Its fields are set before it is used; its methods are
// safe for concurrent use.
type Desk struct {
	Config Config
	Sound  Sound
	Hub    *stream.Hub
	Auth   Authorizer
	// Messages may be nil.
	Messages Messages
	// Mixer may be nil: then nothing is mixed, and what sound is converted Sound.Convert alone decides.
	Mixer Mixer
	Log   *slog.Logger

	mu    sync.Mutex
	hosts map[*stream.Stream]*hostClock // guarded by mu: of the shows that are on
}

// Open authorises r and makes its session the show's publisher, or a contributor to it. The error is a
// *Refusal.
func (d *Desk) Open(r Request) (Publisher, error) {
	if r.App != appName {
		return nil, &Refusal{`The server address must end in "/` + appName + `", as in rtmp://HOST/` + appName + `; the stream key goes into a field of its own.`}
	}
	grant, err := d.Auth.Publish(r.Key, r.Remote.Addr())
	if err != nil {
		return nil, &Refusal{err.Error()}
	}
	p, err := readPart(grant, r.Query, d.Config.Offset)
	if err != nil {
		return nil, &Refusal{err.Error()}
	}
	pub, err := d.enter(grant.Name, p, stream.Source{Protocol: r.Protocol, Remote: r.Remote.String(), Agent: r.Agent})
	switch {
	case errors.Is(err, stream.ErrBusy):
		return nil, &Refusal{"The server has no room for another show: try again later, or ask its operator."}
	case errors.Is(err, stream.ErrBarred):
		return nil, &Refusal{"An operator has ended this show: ask before you start it again."}
	case errors.Is(err, stream.ErrCrowded):
		return nil, &Refusal{fmt.Sprintf("The show %s has as many interpreters and renditions beside its host as it may have: one of them has to go first.", grant.Name)}
	case errors.Is(err, stream.ErrRoles):
		return nil, &Refusal{fmt.Sprintf("The show %s has had as many different languages and renditions as it may have: use one of their names again.", grant.Name)}
	case err != nil:
		return nil, &Refusal{"The server is shutting down: try again in a minute."}
	}
	s := newSession(pub)
	s.part, s.host, s.messages, s.sound, s.mixer = p, d.host(pub.Stream()), d.Messages, d.Sound, d.Mixer
	return s, nil
}

func (d *Desk) enter(name string, p part, src stream.Source) (*stream.Publisher, error) {
	if p.role == "" {
		return d.Hub.Publish(name, src)
	}
	return d.Hub.Join(name, stream.Contribution{Role: p.role}, src)
}

// host returns the clock of a show's host.
func (d *Desk) host(s *stream.Stream) *hostClock {
	d.mu.Lock()
	defer d.mu.Unlock()
	for s := range d.hosts {
		select {
		case <-s.Done():
			delete(d.hosts, s)
		default:
		}
	}
	if d.hosts == nil {
		d.hosts = make(map[*stream.Stream]*hostClock)
	}
	if d.hosts[s] == nil {
		d.hosts[s] = new(hostClock)
	}
	return d.hosts[s]
}
