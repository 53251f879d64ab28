package sound

import (
	"strings"
	"testing"
	"time"

	"pushcart/media"
	"pushcart/transcode/ffmpeg"
)

func TestWatchdog(t *testing.T) {
	type look struct {
		after time.Duration
		v     ffmpeg.Vitals
	}
	began := time.Now()
	joined := began.Add(time.Second)
	row := func(from time.Duration, n int, v func(i int) ffmpeg.Vitals) (list []look) {
		for i := range n {
			list = append(list, look{from + time.Duration(i)*ffmpeg.WatchEvery, v(i)})
		}
		return list
	}
	for name, c := range map[string]struct {
		looks []look
		want  string // in the last answer; all others are empty
	}{
		"slow to start": {row(0, 30, func(int) ffmpeg.Vitals { return ffmpeg.Vitals{Lag: 12 * time.Second} }), ""},
		"never starts":  {row(ffmpeg.StartTimeout, lateChecks, func(int) ffmpeg.Vitals { return ffmpeg.Vitals{Lag: 12 * time.Second} }), "no sound from ffmpeg for 20s"},
		"no source":     {row(ffmpeg.StartTimeout, 30, func(int) ffmpeg.Vitals { return ffmpeg.Vitals{} }), ""},
		"catches up": {row(time.Second, 20, func(i int) ffmpeg.Vitals {
			return ffmpeg.Vitals{Joined: joined, Lag: time.Duration(12-i) * time.Second}
		}), ""},
		"stays behind": {row(time.Second, lateChecks, func(int) ffmpeg.Vitals {
			return ffmpeg.Vitals{Joined: joined, LastOut: began.Add(2 * time.Second), Lag: 5 * time.Second}
		}), "5.0 s behind"},
		"hangs":               {row(9*time.Second, lateChecks, func(int) ffmpeg.Vitals { return ffmpeg.Vitals{Joined: joined, LastOut: joined, Lag: 5 * time.Second} }), "it hangs"},
		"is full too often":   {row(time.Second, ffmpeg.MaxOverflows+1, func(i int) ffmpeg.Vitals { return ffmpeg.Vitals{Joined: joined, Overflows: i} }), "again and again"},
		"was full once a day": {[]look{{time.Second, ffmpeg.Vitals{Joined: joined, Overflows: 1}}, {24 * time.Hour, ffmpeg.Vitals{Joined: joined, Overflows: 2}}, {48 * time.Hour, ffmpeg.Vitals{Joined: joined, Overflows: 3}}}, ""},
	} {
		w := watchdog{started: began}
		for i, l := range c.looks {
			got, last := w.check(began.Add(l.after), l.v), i == len(c.looks)-1
			if !last && got != "" || last && (got == "") != (c.want == "") || last && !strings.Contains(got, c.want) {
				t.Errorf("%s, look %d: %q, want %q at the last", name, i, got, c.want)
			}
		}
	}
}

// TestVoicePatience: silence takes the place of what is late by the patience, in whole units; what comes later than that is
// left out, and what comes in time is not.
func TestVoicePatience(t *testing.T) {
	in := newPCM(media.CodecPCMA, 8000, func(float64) float64 { return 0 })
	v := newVoice(in.track)
	if v.length != 160 {
		t.Fatalf("silence lasts %d samples", v.length)
	}
	ticks := func(d time.Duration) int64 { return media.Ticks(d, 8000) }
	at := func(d time.Duration) media.AccessUnit { return media.AccessUnit{DTS: ticks(d), PTS: ticks(d)} }
	var filled []int64
	host := func(d time.Duration) { v.follow(d, func(au media.AccessUnit) { filled = append(filled, au.DTS) }) }
	host(time.Second)
	host(time.Second + patience)
	if len(filled) != 0 || !v.take(at(time.Second)) {
		t.Fatalf("silence at %v before the patience is over", filled)
	}
	host(time.Second + patience + 100*time.Millisecond)
	if len(filled) != 4 || filled[0] != ticks(1020*time.Millisecond) || v.next != ticks(1100*time.Millisecond) {
		t.Errorf("silence at %v", filled)
	}
	if v.take(at(1060*time.Millisecond)) || !v.take(at(1095*time.Millisecond)) || !v.take(at(1200*time.Millisecond)) {
		t.Error("the wrong units are left out")
	}
}

// TestPlan looks at which tasks there are for which tracks.
func TestPlan(t *testing.T) {
	aac := media.Track{ID: 1, Codec: media.CodecAAC, Timescale: 48000, Config: []byte{0x11, 0x90}}
	alaw := media.Track{ID: 2, Codec: media.CodecPCMA, Timescale: 8000, Config: []byte{1}, Internal: true}
	voice := media.Track{ID: 2001, Codec: media.CodecAAC, Timescale: 48000, Config: []byte{0x11, 0x90}, Language: "fr", Contributed: true, Internal: true}
	heard := voice
	heard.Internal = false
	telephone := alaw
	telephone.ID, telephone.Language, telephone.Contributed = 2001, "fr", true
	broken := media.Track{ID: 3, Codec: media.CodecPCMA, Timescale: 8000, Internal: true}
	low := func(string, map[string]bool) []Quality { return []Quality{{"64k", 64_000}} }
	for name, c := range map[string]struct {
		opt    Options
		tracks []media.Track
		want   string
	}{
		"a usual show":                     {Options{Convert: true, Ducking: 12}, []media.Track{aac, heard}, ""},
		"a camera":                         {Options{Convert: true}, []media.Track{alaw}, "sound:1>1"},
		"not converted":                    {Options{Ducking: 12}, []media.Track{alaw}, ""},
		"a rate of what nobody is offered": {Options{Ducking: 12, Qualities: low}, []media.Track{alaw}, ""},
		"no channels":                      {Options{Convert: true}, []media.Track{broken}, ""},
		"another rate":                     {Options{Qualities: low}, []media.Track{aac}, "sound:1>1"},
		"a camera, another rate":           {Options{Convert: true, Qualities: low}, []media.Track{alaw}, "sound:1>2"},
		"a voice":                          {Options{Ducking: 12}, []media.Track{aac, voice}, "mix@fr:2>1"},
		"a voice by telephone":             {Options{Convert: true}, []media.Track{aac, telephone}, "mix@fr:1>1"},
		"a voice without a host":           {Options{Ducking: 12}, []media.Track{voice}, "mix@fr:1>0"},
		"a voice over a camera's":          {Options{Convert: true, Ducking: 12}, []media.Track{alaw, voice}, "sound:1>1 mix@fr:2>1"},
	} {
		st := New(c.opt, nil, nil)
		var got []string
		for _, k := range st.plan("a", c.tracks) {
			got = append(got, k.role+":"+string(rune('0'+len(k.inputs)))+">"+string(rune('0'+len(k.outputs))))
		}
		if g := strings.Join(got, " "); g != c.want {
			t.Errorf("%s: %q, want %q", name, g, c.want)
		}
	}
}

// TestVoiceTooLate: it is told once that most of a voice is left out, and again when it had been in time meanwhile.
func TestVoiceTooLate(t *testing.T) {
	v := newVoice(newPCM(media.CodecPCMA, 8000, func(float64) float64 { return 0 }).track)
	now := time.Second
	speak := func(d, behind time.Duration) (told []time.Duration) {
		for end := now + d; now < end; now += 20 * time.Millisecond {
			v.follow(now, func(media.AccessUnit) {})
			at := media.Ticks(now-behind, 8000)
			v.take(media.AccessUnit{DTS: at, PTS: at})
			if late := v.tooLate(); late > 0 {
				told = append(told, late)
			}
		}
		return told
	}
	if told := speak(5*lateSpan, patience/2); len(told) != 0 {
		t.Errorf("a voice in time is %v late", told)
	}
	if told := speak(5*lateSpan, 2*time.Second); len(told) != 1 || told[0] < 1900*time.Millisecond || told[0] > 2100*time.Millisecond {
		t.Errorf("a voice that is 2 s behind is %v late", told)
	}
	speak(2*lateSpan, 0)
	if told := speak(2*lateSpan, time.Second); len(told) != 1 {
		t.Errorf("late again: told %v", told)
	}
}
