// Package contribute has what is made of a show stand beside it, as a contributor of its own: the rungs of the ladder,
// and sound.
package contribute

import (
	"errors"
	"time"

	"pushcart/media"
	"pushcart/stream"
)

// Hub is where contributors join their shows. *stream.Hub implements it.
type Hub interface {
	Join(name string, c stream.Contribution, src stream.Source) (*stream.Publisher, error)
}

// Place is a contributor's in its show.
type Place struct {
	Hub  Hub
	Show *stream.Stream
	Role string
	// Epoch is that of the show from which it is made (stream.Event.Epoch).
	Epoch int
	// Agent is what makes it, for the operator.
	Agent string
}

// Join takes the place with these tracks. It returns stream.ErrClosed if the show is over, or the epoch, which those who
// read the show find out. Other errors are those of Hub.Join.
func (p Place) Join(tracks []media.Track) (*stream.Publisher, error) {
	pub, err := p.Hub.Join(p.Show.Name(), stream.Contribution{Role: p.Role, Derived: true, Epoch: p.Epoch},
		stream.Source{Protocol: "ffmpeg", Remote: "this server", Agent: p.Agent})
	if err != nil {
		return nil, err
	}
	if pub.Stream() != p.Show {
		pub.Close(nil) // the show is over, and another has its name
		return nil, stream.ErrClosed
	}
	if err := pub.Begin(tracks); err != nil {
		pub.Close(nil)
		if errors.Is(err, stream.ErrPast) {
			return nil, stream.ErrClosed
		}
		return nil, err
	}
	return pub, nil
}

// Entrance is how several tracks join a show together, once the first units of all of them are there. It is not safe for
// concurrent use.
type Entrance struct {
	// Join takes the place in the show.
	Join func([]media.Track) (*stream.Publisher, error)
	// Joined is when that was; zero before.
	Joined time.Time
	// Closed is set by Leave: nothing goes in any more.
	Closed bool

	pub *stream.Publisher
}

// In reports whether the tracks have joined.
func (e *Entrance) In() bool { return e.pub != nil }

// Enter joins with these tracks, and writes what has been held of each of them meanwhile: the oldest first over all, since
// readers see one show.
func (e *Entrance) Enter(tracks []media.Track, held [][]media.AccessUnit) error {
	pub, err := e.Join(tracks)
	if err != nil {
		return err
	}
	e.pub, e.Joined = pub, time.Now()
	for {
		next, first := -1, time.Duration(0)
		for i, units := range held {
			if len(units) == 0 {
				continue
			}
			if at := media.Duration(units[0].DTS, tracks[i].Timescale); next < 0 || at < first {
				next, first = i, at
			}
		}
		if next < 0 {
			return nil
		}
		if err := pub.Write(held[next][0]); err != nil {
			return err
		}
		held[next] = held[next][1:]
	}
}

// Tell says something else of the tracks, whose configurations are as before. That the show is over, those who follow it find
// out.
func (e *Entrance) Tell(tracks []media.Track) { _ = e.pub.Begin(tracks) }

// Write hands a unit on to the show, which has to have been entered.
func (e *Entrance) Write(au media.AccessUnit) error { return e.pub.Write(au) }

// Leave takes the tracks out of the show, if they are in it.
func (e *Entrance) Leave(why error) {
	e.Closed = true
	if e.pub != nil {
		e.pub.Close(why)
	}
}
