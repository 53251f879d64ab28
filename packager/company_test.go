package packager

import (
	"time"

	"pushcart/media"
	"pushcart/media/mediatest"
	"pushcart/stream"
)

// company are the contributors of a hostile show: they join and leave as they like, lag, stall and come back
// otherwise. Two are rungs made of the host's own pictures, one is a rung with a will of its own, two are
// voices.
type company struct {
	members [5]member
	lead    media.Track // the host's first video track
}

type member struct {
	pub     *stream.Publisher
	begun   bool
	lag     time.Duration
	stalled time.Time // until then
	track   media.Track
	made    []made // what waits for its time
	next    int
	start   int64 // ticks
}

type made struct {
	at time.Time
	au media.AccessUnit
}

// hear has the rungs that are made of the host's pictures make theirs.
func (c *company) hear(ev stream.Event) {
	switch ev.Kind {
	case stream.EventTracks:
		c.lead = media.Track{}
		for _, t := range ev.Tracks {
			if t.Kind() == media.KindVideo && !t.Contributed {
				c.lead = t
				break
			}
		}
		for i := range 2 {
			c.members[i].begun, c.members[i].made = false, nil
		}
	case stream.EventUnit:
		for i := range 2 {
			m := &c.members[i]
			if c.lead.ID != 0 && ev.Unit.Track == c.lead.ID && m.pub != nil && (len(m.made) > 0 || m.begun || ev.Unit.RandomAccess) {
				au := ev.Unit
				au.Track = 1
				m.made = append(m.made, made{time.Now().Add(m.lag), au})
			}
		}
	}
}

// act has each of them do what is due.
func (c *company) act(h *hostileShow) {
	for i := range c.members {
		m := &c.members[i]
		switch n := h.random.IntN(1500); {
		case m.pub == nil && n < 5:
			c.join(h, i)
		case m.pub != nil && n == 0:
			m.pub.Close(nil)
			*m = member{}
		case m.pub != nil && n == 1:
			m.stalled = time.Now().Add(time.Duration(h.random.IntN(9000)) * time.Millisecond)
		case m.pub != nil && n == 2:
			m.lag = time.Duration(h.random.IntN(3000)) * time.Millisecond
		}
		if m.pub == nil || time.Now().Before(m.stalled) {
			continue
		}
		if i >= 2 {
			m.make(h, i)
		}
		m.write(h, c.lead)
	}
}

func (c *company) join(h *hostileShow, i int) {
	roles := []string{"ladder", "480p", "720p", "@fr", "@es"}
	pub, err := h.hub.Join("a", stream.Contribution{Role: roles[i], Derived: i < 2}, stream.Source{})
	if err != nil {
		h.t.Fatal(err)
	}
	m := &c.members[i]
	*m = member{pub: pub, lag: time.Duration(h.random.IntN(1500)) * time.Millisecond}
	now := media.Ticks(time.Since(pub.Stream().Start()), 90000)
	switch {
	case i == 2:
		m.start = now
		m.track = mediatest.Video{Start: now, GOP: 60}.Track()
	case i > 2:
		m.start = media.Ticks(time.Since(pub.Stream().Start()), 48000)
		m.track = mediatest.Audio{ID: 1, Start: m.start, SampleRate: []int{48000, 44100}[h.random.IntN(2)]}.Track()
		m.start = media.Rescale(m.start, 48000, m.track.Timescale)
	}
}

// make fills the queue of one with units of its own, up to the present.
func (m *member) make(h *hostileShow, i int) {
	for {
		var au media.AccessUnit
		if i == 2 {
			au = mediatest.Video{Start: m.start, GOP: 60}.Unit(m.next)
		} else {
			au = mediatest.Audio{ID: 1, SampleRate: int(m.track.Timescale), Start: m.start}.Unit(m.next)
		}
		at := m.pub.Stream().Start().Add(media.Duration(au.DTS, m.track.Timescale))
		if at.After(time.Now()) {
			return
		}
		m.next++
		m.made = append(m.made, made{at.Add(m.lag), au})
	}
}

func (m *member) write(h *hostileShow, lead media.Track) {
	for len(m.made) > 0 && !time.Now().Before(m.made[0].at) {
		au := m.made[0].au
		m.made = m.made[1:]
		if !m.begun {
			t := m.track
			if t.ID == 0 {
				t = lead
				t.ID = 1
			}
			if err := m.pub.Begin([]media.Track{t}); err != nil {
				return
			}
			m.begun = true
		}
		m.pub.Write(au) // an error says that the show is over, or waits
	}
}
