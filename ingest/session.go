package ingest

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"pushcart/media"
	"pushcart/stream"
)

const (
	// videoTimescale is the timescale of all video behind the doors.
	videoTimescale = 90_000
	dataTimescale  = 1000

	// gatherTime is how long a session waits for the tracks that it may still get, from its first unit on.
	gatherTime = time.Second
	// keyframeTime is how long it waits for the first keyframe before it goes on without the video.
	keyframeTime = 12 * time.Second
	// maxGathered and maxGatheredBytes bound what it keeps meanwhile; the oldest units go first.
	maxGathered      = 2048
	maxGatheredBytes = 16 << 20
	// maxTime bounds what an encoder's clock can say, so that sums do not overflow.
	maxTime = 1 << 60 * time.Nanosecond
	// minComposition and maxComposition are how far presentation may lie from decoding.
	minComposition, maxComposition = -500 * time.Millisecond, 2 * time.Second
	// maxOverlap is how far an epoch may reach back into the one before: tracks end at different times.
	maxOverlap = 100 * time.Millisecond
	// maxTracks bounds the tracks of a session.
	maxTracks = 32
	// rareKeyframes is the distance between keyframes from which on the host is told.
	rareKeyframes = 4500 * time.Millisecond
)

// dataTrack is the data track of every show.
var dataTrack = media.Track{ID: 1000, Codec: media.CodecAMF0, Timescale: dataTimescale}

// Session is one host's connection as the show sees it. It implements Publisher.
type Session struct {
	pub   *stream.Publisher
	clock clock

	tracks   []*sessionTrack
	promised bool // what video and audio say comes from the encoder
	video    bool
	audio    bool

	// Before the first epoch: what has come so far.
	gathered      []arrival
	gatheredBytes int
	since         time.Time // the first unit came

	live    bool
	changed bool // a new epoch has to begin with the next keyframe
	broken  bool // until then, nothing can be used
}

// arrival is a unit and when it came.
type arrival struct {
	media.AccessUnit
	at time.Time
}

// sessionTrack is one track of a session.
type sessionTrack struct {
	door    media.Track  // as the door announced it
	show    media.Track  // as the show has it
	format  media.Format // zero for data
	current bool         // show is part of the present epoch
	dormant bool         // it is left out until it has a keyframe
	clock   trackClock
	lastKey time.Duration
}

func newSession(pub *stream.Publisher) *Session {
	s := &Session{pub: pub}
	s.clock.count = pub.Count
	return s
}

// Expect implements Publisher.
func (s *Session) Expect(video, audio bool) { s.promised, s.video, s.audio = true, video, audio }

// Done implements Publisher.
func (s *Session) Done() <-chan struct{} { return s.pub.Done() }

// Err implements Publisher.
func (s *Session) Err() error { return s.pub.Err() }

// Close implements Publisher.
func (s *Session) Close(why error) { s.pub.Close(why) }

// SetTrack implements Publisher.
func (s *Session) SetTrack(t media.Track) error {
	old := s.track(t.ID)
	if old != nil && old.door.SameConfig(t) {
		old.declare(t)
		return nil
	}
	if old == nil && len(s.tracks) == maxTracks {
		return fmt.Errorf("the encoder sends more than %d tracks: the rest is ignored", maxTracks)
	}
	n := &sessionTrack{door: t, show: t}
	if t.Kind() != media.KindData {
		f, err := media.ParseConfig(t)
		if err != nil {
			s.pub.Remark("config", fmt.Sprintf("The %s track can't be used: %v", t.Kind(), err))
			return err
		}
		n.format = f
	}
	n.clock.in = t.Timescale
	switch t.Kind() {
	case media.KindVideo:
		n.show.Timescale = videoTimescale
		n.declare(t)
	case media.KindAudio:
		n.show.Timescale = int64(n.format.SampleRate)
		n.clock.audio = newAudioClock(n.show, n.format)
	case media.KindData:
		n.show = dataTrack
	default:
		return fmt.Errorf("tracks of codec %q are not supported", t.Codec)
	}
	n.clock.out = n.show.Timescale
	if old == nil {
		s.tracks = append(s.tracks, n)
		slices.SortStableFunc(s.tracks, func(a, b *sessionTrack) int { return a.door.ID - b.door.ID })
	} else {
		n.clock.begun, n.clock.last = old.clock.begun, old.clock.last
		s.tracks[slices.Index(s.tracks, old)] = n
	}
	n.current = t.Kind() == media.KindData // every epoch has one
	s.changed = s.changed || s.live && t.Kind() != media.KindData
	return nil
}

// declare takes the rates that the host has declared for the track, which may be news although its
// configuration is not. Once units have come, they are known better.
func (t *sessionTrack) declare(as media.Track) {
	if t.clock.begun {
		return
	}
	t.show.FrameRate, t.show.BitRate = as.FrameRate, as.BitRate
	if t.show.Kind() == media.KindVideo {
		t.clock.rhythm = newRhythm(cmp.Or(as.FrameRate, t.format.FrameRate), videoTimescale)
	}
}

func (s *Session) track(id int) *sessionTrack {
	for _, t := range s.tracks {
		if t.door.ID == id {
			return t
		}
	}
	return nil
}

// lead is the track whose keyframes begin an epoch: the first video track, or else the first audio track.
func (s *Session) lead() *sessionTrack {
	var audio *sessionTrack
	for _, t := range s.tracks {
		switch {
		case t.dormant:
		case t.show.Kind() == media.KindVideo:
			return t
		case t.show.Kind() == media.KindAudio:
			if audio == nil {
				audio = t
			}
		}
	}
	return audio
}

// Write implements Publisher.
func (s *Session) Write(au media.AccessUnit) error {
	now := time.Now()
	t := s.track(au.Track)
	if t == nil {
		s.pub.Count(repairUndecoded, 1)
		return nil
	}
	if !s.live {
		return s.gather(au, now)
	}
	return s.write(t, au, now)
}

// gather keeps units until it is known which tracks there are and there is a keyframe to begin with.
func (s *Session) gather(au media.AccessUnit, now time.Time) error {
	s.gathered = append(s.gathered, arrival{au, now})
	s.gatheredBytes += len(au.Data)
	for len(s.gathered) > maxGathered || s.gatheredBytes > maxGatheredBytes {
		s.gatheredBytes -= len(s.gathered[0].Data)
		s.gathered[0] = arrival{}
		s.gathered = s.gathered[1:]
	}
	if s.since.IsZero() {
		s.since = now
	}
	if !s.ready(now.Sub(s.since)) {
		return nil
	}
	s.live, s.changed, s.broken = true, true, true
	units := s.gathered
	s.gathered = nil
	for _, au := range units {
		if t := s.track(au.Track); t != nil {
			if err := s.write(t, au.AccessUnit, au.at); err != nil {
				return err
			}
		}
	}
	return nil
}

// ready reports whether the first epoch can begin, some time after the first unit.
func (s *Session) ready(after time.Duration) bool {
	var video, audio bool
	for _, t := range s.tracks {
		video = video || t.show.Kind() == media.KindVideo
		audio = audio || t.show.Kind() == media.KindAudio
	}
	if lead := s.lead(); lead == nil || !s.canBegin(lead) {
		return after >= keyframeTime && audio && s.dropVideo()
	}
	if s.promised {
		return (video || !s.video) && (audio || !s.audio) || after >= gatherTime
	}
	return video && audio || after >= gatherTime
}

// canBegin reports whether a unit has been gathered that decoding can start with.
func (s *Session) canBegin(lead *sessionTrack) bool {
	return slices.ContainsFunc(s.gathered, func(au arrival) bool {
		return au.Track == lead.door.ID && au.RandomAccess
	})
}

// dropVideo leaves video tracks that have no keyframe out, until they have one.
func (s *Session) dropVideo() bool {
	s.pub.Remark("keyframe", fmt.Sprintf("The encoder has sent no keyframe for %v: the show starts with sound only.", keyframeTime))
	for _, t := range s.tracks {
		t.dormant = t.show.Kind() == media.KindVideo
	}
	return true
}

// write repairs the unit's times and hands it on.
func (s *Session) write(t *sessionTrack, au media.AccessUnit, now time.Time) error {
	raw := min(max(media.Duration(au.DTS, t.door.Timescale), -maxTime), maxTime)
	if d := media.Duration(au.PTS-au.DTS, t.door.Timescale); d < minComposition || d > maxComposition {
		au.PTS = au.DTS
		s.pub.Count(repairComposition, 1)
	}
	if t.dormant && au.RandomAccess {
		t.dormant, s.changed = false, true
	}
	begins := t == s.lead() && au.RandomAccess
	if !s.clock.placed {
		if !begins {
			return nil
		}
		s.placeSession(raw, now)
	}
	if t.show.Kind() == media.KindData {
		if s.broken {
			return nil
		}
		return s.emit(t, au, s.clock.beside(raw, now))
	}
	at, absent := s.clock.place(&t.clock, raw, now)
	if absent {
		s.pub.Count(repairAbsence, 1)
		s.changed, s.broken = true, true
	}
	if s.changed && begins {
		if back := s.pub.Stream().Latest() - at; back > maxOverlap {
			s.clock.move(back)
			at += back.Round(time.Millisecond)
		}
		if err := s.begin(at); err != nil {
			return err
		}
	}
	if t.dormant || s.changed && (!t.current || s.broken) {
		t.clock.begun, t.clock.last = true, at
		s.pub.Count(repairSkipped, 1)
		return nil
	}
	return s.emit(t, au, at)
}

// placeSession puts the session's first unit where the wall clock says, and behind all that the show has
// had before.
func (s *Session) placeSession(raw time.Duration, now time.Time) {
	show := s.pub.Stream()
	at := now.Sub(show.Start())
	if latest := show.Latest(); latest > 0 {
		at = max(at, latest+absence/10)
	}
	s.clock.align(raw, at)
	s.clock.lastArrival = now
}

// begin starts an epoch with the unit of the lead whose show time is at.
func (s *Session) begin(at time.Duration) error {
	s.keepAudio()
	tracks := make([]media.Track, 0, len(s.tracks)+1)
	videos, data := 0, false
	for _, t := range s.tracks {
		if t.current = !t.dormant; t.dormant {
			continue
		}
		tracks = append(tracks, t.show)
		switch t.show.Kind() {
		case media.KindVideo:
			videos++
		case media.KindData:
			data = true
		}
		if a := t.clock.audio; a != nil {
			a.begin(media.Ticks(at, t.clock.out))
		}
		t.clock.lastOut, t.lastKey = 0, 0
	}
	if !data {
		tracks = append(tracks, dataTrack) // data may come at any time: no epoch has to begin for it
	}
	if videos > 1 {
		s.pub.Remark("tracks", fmt.Sprintf("The host sends %d video tracks; the first is used.", videos))
	}
	s.changed, s.broken = false, false
	return s.pub.Begin(tracks)
}

// keepAudio goes on with the audio track of the show's last epoch, in silence, if the host has come back
// without one: viewers' players wait for audio that they once had.
func (s *Session) keepAudio() {
	lead := s.lead()
	for _, t := range s.tracks {
		if t.show.Kind() == media.KindAudio {
			return
		}
	}
	for _, t := range s.pub.Stream().Tracks() {
		if t.Kind() != media.KindAudio || lead == nil {
			continue
		}
		f, err := media.ParseConfig(t)
		if err != nil || media.Silence(t, f) == nil || s.track(t.ID) != nil {
			continue
		}
		n := &sessionTrack{door: t, show: t, format: f}
		n.clock = trackClock{in: t.Timescale, out: t.Timescale, audio: newAudioClock(t, f)}
		n.clock.audio.away = true
		s.tracks = append(s.tracks, n)
		s.pub.Remark("silence", "The host has come back without sound: viewers get silence.")
		return
	}
}

// emit writes the unit, and the silence that it calls for, to the show.
func (s *Session) emit(t *sessionTrack, au media.AccessUnit, at time.Duration) error {
	var failed error
	to := func(t *sessionTrack) func(media.AccessUnit) {
		return func(au media.AccessUnit) {
			au.Track = t.show.ID
			if err := s.pub.Write(au); err != nil {
				failed = err
			}
		}
	}
	switch t.show.Kind() {
	case media.KindAudio:
		s.clock.audio(&t.clock, au, at, to(t))
	case media.KindData:
		au.PTS = media.Ticks(at, t.clock.out)
		au.DTS = max(au.PTS, t.clock.lastOut)
		t.clock.lastOut = au.DTS
		to(t)(au)
	default:
		for _, a := range s.tracks {
			if a.clock.audio != nil && a.current {
				s.clock.keepUp(&a.clock, at, to(a))
			}
		}
		if au.RandomAccess {
			s.checkKeyframes(t, at)
		}
		to(t)(s.clock.video(&t.clock, au, at))
	}
	return failed
}

// checkKeyframes tells the host when keyframes are too rare.
func (s *Session) checkKeyframes(t *sessionTrack, at time.Duration) {
	if distance := at - t.lastKey; t.lastKey > 0 && distance > rareKeyframes {
		s.pub.Remark("keyframes", fmt.Sprintf("The encoder's keyframe interval is %.1f s: set it to 2 s, so that viewers can join quickly.", distance.Seconds()))
	}
	t.lastKey = at
}
