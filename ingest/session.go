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

// Session is one host's connection as the show sees it, or a contributor's (beside.go). It implements
// Publisher and TrackCounter.
type Session struct {
	pub      *stream.Publisher
	part     part
	host     *hostClock
	messages Messages // may be nil
	sound    Sound
	mixer    Mixer // may be nil
	clock    clock
	captured time.Time // of the encoder's time 0, by its own clock; zero: it has not told

	tracks   []*sessionTrack
	promised bool // what videos and audios say comes from the encoder
	videos   int  // tracks that are to be expected
	audios   int
	drift    drift // of a contributor

	// Before the first epoch: what has come so far.
	gathered      []arrival
	gatheredBytes int
	since         time.Time // the first unit came

	live    bool
	changed bool          // a new epoch has to begin with the next keyframe
	broken  bool          // until then, nothing can be used
	began   time.Duration // show time of the epoch's beginning
}

// sessionTrack is one track of a session.
type sessionTrack struct {
	door    media.Track  // as the door announced it
	show    media.Track  // as the show has it
	format  media.Format // zero for data
	current bool         // show is part of the present epoch
	dormant bool         // it is left out until it has a keyframe
	added   bool         // nobody sends it: it is silence
	keyed   bool         // it has had one in the present epoch; audio and data need none
	clock   trackClock
	lastKey time.Duration
}

func newSession(pub *stream.Publisher) *Session {
	s := &Session{pub: pub, host: new(hostClock)}
	s.clock.count = pub.Count
	return s
}

// Expect implements Publisher.
func (s *Session) Expect(video, audio bool) {
	count := map[bool]int{true: 1}
	s.ExpectTracks(count[video], count[audio])
}

// ExpectTracks implements TrackCounter.
func (s *Session) ExpectTracks(video, audio int) {
	s.promised, s.videos, s.audios = true, video, audio
}

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
	if err := s.leaveOut(t); err != nil {
		return err
	}
	n := &sessionTrack{door: t, show: t}
	var err error
	if n.show.Internal, err = s.internal(t); err != nil {
		return err
	}
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
	n.name()
	s.contribute(n)
	if old == nil {
		s.tracks = append(s.tracks, n)
		slices.SortStableFunc(s.tracks, func(a, b *sessionTrack) int { return a.door.ID - b.door.ID })
	} else {
		n.clock.begun, n.clock.last = old.clock.begun, old.clock.last
		if n.clock.out == old.clock.out {
			n.clock.lastOut = old.clock.lastOut
		}
		if s.part.role != "" {
			n.clock.rhythm.lineUp(old.clock.rhythm.base, old.clock.rhythm.frame) // the host's grid has not changed
		}
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
	t.show.Language, t.show.Label = as.Language, as.Label
	t.name()
	if t.show.Kind() == media.KindVideo {
		t.clock.rhythm = newRhythm(cmp.Or(as.FrameRate, t.format.FrameRate), videoTimescale)
	}
}

// name brings the track's language into its usual spelling, and gives a track without a label its language's
// name. What is no language, or says that there is none, is none.
func (t *sessionTrack) name() {
	language, err := media.ParseLanguage(t.show.Language)
	if err != nil || slices.Contains([]string{"und", "mul", "zxx", "mis"}, language) {
		language = ""
	}
	otherwise := ""
	if language != "" {
		otherwise = media.LanguageName(language)
	}
	t.show.Language, t.show.Label = language, label(t.show.Label, otherwise)
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
	if s.live && s.part.role != "" && s.lost() {
		s.live = false
	}
	if !s.live {
		return s.gather(au, now)
	}
	return s.write(t, au, now)
}

// write repairs the unit's times and hands it on.
func (s *Session) write(t *sessionTrack, au media.AccessUnit, now time.Time) error {
	raw := rawTime(au.DTS, t)
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
		return s.writeData(t, au, raw, now)
	}
	at, absent := s.clock.place(&t.clock, raw, now)
	if absent {
		s.pub.Count(repairAbsence, 1)
		s.changed, s.broken = true, true
	}
	if s.changed && begins {
		if back := s.pub.Stream().Latest() - at; back > maxOverlap && s.part.role == "" {
			s.clock.move(back)
			at += back.Round(time.Millisecond)
		}
		if err := s.begin(at); err != nil {
			return err
		}
	}
	t.keyed = t.keyed || au.RandomAccess && !s.broken
	if t.dormant || !t.keyed || s.changed && (!t.current || s.broken) {
		t.clock.begun, t.clock.last = true, at
		s.pub.Count(repairSkipped, 1)
		return nil
	}
	wall := now.Sub(s.pub.Stream().Start())
	if s.part.role == "" {
		s.host.heard(at, wall, s.clock.offset)
	} else {
		s.keepPlace(t, au, at, wall)
	}
	return s.emit(t, au, at)
}

// rawTime is the encoder's time of a unit with that DTS.
func rawTime(dts int64, t *sessionTrack) time.Duration {
	return min(max(media.Duration(dts, t.door.Timescale), -maxTime), maxTime)
}

// writeData places a data message beside the media, on the clock of presentation: so ffmpeg writes them. What
// is said before the first picture counts from there on. Contributors have nothing to say.
func (s *Session) writeData(t *sessionTrack, au media.AccessUnit, raw time.Duration, now time.Time) error {
	if s.part.role != "" {
		return nil
	}
	at := max(s.clock.beside(raw, now), s.began)
	s.tell(au.Data, at)
	if s.broken {
		return nil
	}
	return s.emit(t, au, at)
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
		lead := s.lead()
		if t != lead {
			to(t)(s.clock.video(&t.clock, &lead.clock.rhythm, au, at))
			break
		}
		for _, a := range s.tracks {
			if a.clock.audio != nil && a.current {
				s.clock.keepUp(&a.clock, at, to(a))
			}
		}
		au = s.clock.video(&t.clock, nil, au, at)
		if au.RandomAccess {
			s.leadKeyframe(t, au, at)
		}
		to(t)(au)
	}
	return failed
}

// leadKeyframe takes note of a keyframe, and tells the host when they are too rare.
func (s *Session) leadKeyframe(t *sessionTrack, au media.AccessUnit, at time.Duration) {
	if s.part.role == "" {
		s.host.keyframe(au.PTS, t.clock.rhythm.frame)
	}
	if distance := at - t.lastKey; t.lastKey > 0 && distance > rareKeyframes {
		s.pub.Remark("keyframes", fmt.Sprintf("The encoder's keyframe interval is %.1f s: set it to 2 s, so that viewers can join quickly.", distance.Seconds()))
	}
	t.lastKey = at
}
