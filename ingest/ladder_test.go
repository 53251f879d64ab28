package ingest

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pushcart/media"
	"pushcart/media/mediatest"
	"pushcart/stream"
)

// sameTicks checks that each picture of b stands at exactly the tick where one of a stands, and keyframes where
// keyframes do; all but the given number of them.
func sameTicks(t *testing.T, what string, a, b []media.AccessUnit, exceptions int) {
	t.Helper()
	at := make(map[int64]bool)
	keys := make(map[int64]bool)
	for _, au := range a {
		at[au.PTS] = true
		keys[au.PTS] = au.RandomAccess
	}
	odd := 0
	for _, au := range b {
		if !at[au.PTS] || au.RandomAccess && !keys[au.PTS] {
			if odd++; odd == exceptions+1 {
				t.Errorf("%s: the picture at tick %d (keyframe: %v) has none beside it", what, au.PTS, au.RandomAccess)
			}
		}
	}
	if len(b) == 0 || odd > exceptions {
		t.Errorf("%s: %d of %d pictures have none beside them", what, odd, len(b))
	}
}

// Three sizes of the picture and two sounds in one publish.
func TestMultitrack(t *testing.T) {
	for _, test := range []struct {
		name   string
		videos []mediatest.Video
	}{
		{"one rate", []mediatest.Video{{Timescale: 1000}, {ID: 4, Timescale: 1000}, {ID: 6, Timescale: 1000}}},
		{"half the rate", []mediatest.Video{{Timescale: 1000}, {ID: 4, Timescale: 1000}, {ID: 6, Timescale: 1000, RateNum: 15, RateDen: 1, GOP: 30}}},
		{"begun in the middle", []mediatest.Video{{Timescale: 1000, Start: 33}, {ID: 4, Timescale: 1000, Start: 33}, {ID: 6, Timescale: 1000, Start: 33}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sh := newShow(t)
				s := sh.session()
				var tracks []media.Track
				var rows [][]media.AccessUnit
				// The smallest comes first in the row: the order in which tracks come says nothing.
				for _, v := range []mediatest.Video{test.videos[2], test.videos[0], test.videos[1]} {
					n := 600
					if v.RateNum == 15 {
						n = 300
					}
					tracks, rows = append(tracks, v.Track()), append(rows, v.Units(n))
				}
				english, french := mediatest.Audio{ID: 2, Timescale: 1000}, mediatest.Audio{ID: 5, Timescale: 1000, Language: "fr"}
				tracks = append(tracks, english.Track(), french.Track())
				rows = append(rows, english.Units(930), french.Units(930))
				s.ExpectTracks(3, 2)
				announce(t, s, tracks...)
				play(t, s, mediatest.Interleave(tracks, rows...))
				if n := sh.epochs(); n != 1 {
					t.Fatalf("%d epochs", n)
				}
				steps(t, "lead", sh.units(1), 3000, 0)
				sameTicks(t, "second size", sh.units(1), sh.units(4), 0)
				sameTicks(t, "third size", sh.units(1), sh.units(6), 0)
				if n := len(sh.units(4)); n != 600 {
					t.Errorf("%d of 600 pictures of the second size", n)
				}
				if first := sh.units(6)[0]; !first.RandomAccess || first.PTS != sh.units(1)[0].PTS {
					t.Errorf("the third size begins with %+v", first.PTS)
				}
				steps(t, "English", sh.units(2), 1024, 0)
				steps(t, "French", sh.units(5), 1024, 0)
				for _, ev := range sh.events {
					if ev.Kind == stream.EventTracks && (len(ev.Tracks) != 7 || ev.Tracks[3].Label != "Français" && ev.Tracks[4].Label != "Français" && ev.Tracks[2].Label != "Français") {
						t.Errorf("the tracks are %+v", ev.Tracks)
					}
				}
				if r := sh.repairs(); len(r) != 0 {
					t.Errorf("repairs: %v", r)
				}
			})
		})
	}
}

// A promised track that never comes delays the show by a second and no more; one whose keyframe comes later
// than the lead's is let in there.
func TestMultitrackUneven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sh := newShow(t)
		s := sh.session()
		// Its first picture is at 1700 ms, and a third of a millisecond before that on the lead's grid.
		video := mediatest.Video{Timescale: 1000, Start: 33, GOP: 50}
		small := mediatest.Video{ID: 4, Timescale: 1000, Start: 33, GOP: 50}
		s.ExpectTracks(3, 1)
		announce(t, s, video.Track(), small.Track(), audio.Track())
		units := small.Units(330)[30:] // no keyframe in the first second
		play(t, s, mediatest.Interleave([]media.Track{video.Track(), small.Track(), audio.Track()}, video.Units(330), units, audio.Units(450)))
		if n := sh.epochs(); n != 1 {
			t.Errorf("%d epochs", n)
		}
		if n := len(sh.units(1)); n != 330 {
			t.Errorf("%d of 330 pictures", n)
		}
		got := sh.units(4)
		if !got[0].RandomAccess || mediatest.Index(got[0].Data) != 50 {
			t.Errorf("the second size begins with picture %d", mediatest.Index(got[0].Data))
		}
		sameTicks(t, "second size", sh.units(1), got, 0)
	})
}

// Each sound that stops is silence by itself.
func TestMultitrackSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sh := newShow(t)
		s := sh.session()
		second := mediatest.Audio{ID: 5, Timescale: 1000}
		tracks := []media.Track{video.Track(), audio.Track(), second.Track()}
		s.ExpectTracks(1, 2)
		announce(t, s, tracks...)
		all := second.Units(940)
		play(t, s, mediatest.Interleave(tracks, video.Units(600), audio.Units(940), append(all[:200:200], all[700:]...)))
		steps(t, "first sound", sh.units(2), 1024, 0)
		steps(t, "second sound", sh.units(5), 1024, 1) // silence ends within a unit
		real := 0
		for _, au := range sh.units(5) {
			if mediatest.Index(au.Data) >= 0 {
				real++
			}
		}
		if n := sh.repairs()[repairFilled]; n < 490 || n > 505 || real < 430 {
			t.Errorf("%d units were filled in, %d are real", n, real)
		}
	})
}

// A rendition on a connection of its own, from the same encoder, stands on the host's ticks, whatever its muxer
// has added to its times.
func TestRung(t *testing.T) {
	for _, test := range []struct {
		name  string
		rung  mediatest.Video
		after time.Duration // the host
		slow  time.Duration // its network
	}{
		{"the same times", mediatest.Video{Timescale: 1000}, 0, 0},
		{"half the rate", mediatest.Video{Timescale: 1000, RateNum: 15, RateDen: 1, GOP: 30}, 0, 0},
		{"times moved by its muxer", mediatest.Video{Timescale: 1000, Start: -21}, 0, 0},
		{"times moved the other way", mediatest.Video{Timescale: 1000, Start: 67}, 0, 0},
		{"on a slower way", mediatest.Video{Timescale: 1000}, 0, 300 * time.Millisecond},
		{"with B-frames", mediatest.Video{Timescale: 1000, BFrames: 2}, 0, 0},
		{"joining later", mediatest.Video{Timescale: 1000}, 11 * time.Second, 0},
		{"clock of its own, in step", mediatest.Video{Timescale: 1000, Start: 77_000_000}, 0, 250 * time.Millisecond},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sh := newShow(t)
				d := sh.desk()
				host, rung := sh.open(d, "a", ""), sh.open(d, "a/360p", "")
				announce(t, rung, test.rung.Track())
				if err := rung.SetTrack(audio.Track()); err == nil {
					t.Error("a rendition's sound is taken")
				}
				var both sync.WaitGroup
				both.Go(func() { play(t, host, rtmp(t, host, 30)) })
				units := test.rung.Units(30 * 30)
				if test.rung.RateNum == 15 {
					units = test.rung.Units(15 * 30)
				}
				skip := int(test.after/time.Second) * 30
				time.Sleep(test.after + test.slow)
				play(t, rung, units[skip:])
				both.Wait()
				ids := sh.contributed()
				if len(ids) != 1 || sh.epochs() != 1 {
					t.Fatalf("tracks %v are beside the host's, in %d epochs", ids, sh.epochs())
				}
				got := sh.units(ids[0])
				if !got[0].RandomAccess {
					t.Error("the rendition does not begin with a keyframe")
				}
				if n := len(units) - skip - 60; len(got) < n {
					t.Errorf("%d of %d pictures have come through", len(got), len(units)-skip)
				}
				sameTicks(t, "rendition", sh.units(1), got, 1) // its last picture may be the host's next
			})
		})
	}
}

// When the host comes back, so do the renditions, and stand on its ticks again.
func TestRungStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sh := newShow(t)
		d := sh.desk()
		host, rung := sh.open(d, "a", ""), sh.open(d, "a/360p", "")
		announce(t, rung, mediatest.Video{Timescale: 1000}.Track())
		var both sync.WaitGroup
		both.Go(func() { play(t, rung, mediatest.Video{Timescale: 1000}.Units(30*40)) })
		all := rtmp(t, host, 40)
		cut := len(all) / 4
		play(t, host, all[:cut])
		host.Close(errors.New("gone"))
		time.Sleep(5 * time.Second)
		host = sh.open(d, "a", "")
		announce(t, host, video.Track(), audio.Track())
		rest := all[cut:]
		for rest[0].DTS < 15_000 {
			rest = rest[1:]
		}
		play(t, host, rest)
		both.Wait()
		sh.read()
		var rungs, pictures []media.AccessUnit
		epochs := 0
		for _, ev := range sh.events {
			switch {
			case ev.Kind == stream.EventTracks:
				epochs++
			case epochs == 2 && ev.Kind == stream.EventUnit && ev.Unit.Track == 1:
				pictures = append(pictures, ev.Unit)
			case epochs == 2 && ev.Kind == stream.EventUnit && ev.Unit.Track > 2000:
				rungs = append(rungs, ev.Unit)
			}
		}
		if epochs != 2 || len(rungs) < 30*20 {
			t.Fatalf("%d epochs, and %d pictures of the rendition in the second", epochs, len(rungs))
		}
		sameTicks(t, "rendition", pictures, rungs, 1)
	})
}

// A rendition with a clock of its own finds the host's keyframes again after each return of the host, whichever way it
// has to move.
func TestRungStaysByItsOwnClock(t *testing.T) {
	for _, away := range []time.Duration{2700 * time.Millisecond, 3300 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			sh := newShow(t)
			d := sh.desk()
			rung := sh.open(d, "a/480p", "")
			v := mediatest.Video{Timescale: 1000, Start: 777_000}
			announce(t, rung, v.Track())
			var both sync.WaitGroup
			both.Go(func() { play(t, rung, v.Units(30*60)) })
			for range 3 {
				host := sh.open(d, "a", "")
				play(t, host, rtmp(t, host, 15))
				host.Close(errors.New("gone"))
				time.Sleep(away)
			}
			both.Wait()
			sh.read()
			keys := make(map[int64]bool)
			last := make(map[int]int64)
			with, epochs := 0, 0
			for _, ev := range sh.events {
				switch {
				case ev.Kind == stream.EventTracks:
					epochs++
					clear(last)
				case ev.Kind != stream.EventUnit:
				case ev.Unit.Track == 1 && ev.Unit.RandomAccess:
					keys[ev.Unit.PTS] = true
				case ev.Unit.Track > 2000:
					if before, ok := last[ev.Unit.Track]; ok && ev.Unit.DTS <= before {
						t.Fatalf("away for %v, epoch %d: decode time %d follows %d", away, epochs, ev.Unit.DTS, before)
					}
					last[ev.Unit.Track] = ev.Unit.DTS
				}
			}
			for _, au := range sh.units(sh.contributed()[0]) {
				if au.RandomAccess && keys[au.PTS] {
					with++
				}
			}
			if with < 3*6 {
				t.Errorf("away for %v: %d keyframes stand on those of the host, in %d epochs", away, with, epochs)
			}
		})
	}
}

// A rendition with many more keyframes than the host has is in its place, and stays there.
func TestRungOfManyKeyframes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sh := newShow(t)
		d := sh.desk()
		host, rung := sh.open(d, "a", ""), sh.open(d, "a/360p", "")
		v := mediatest.Video{Timescale: 1000, GOP: 6}
		announce(t, rung, v.Track())
		var both sync.WaitGroup
		both.Go(func() { play(t, host, rtmp(t, host, 30)) })
		play(t, rung, v.Units(900))
		both.Wait()
		got := sh.units(sh.contributed()[0])
		sameTicks(t, "rendition", sh.units(1), slices.DeleteFunc(slices.Clone(got), func(au media.AccessUnit) bool { return au.RandomAccess }), 1)
		if len(got) < 800 {
			t.Errorf("%d of 900 pictures have come through", len(got))
		}
	})
}

// A rendition that changes its configuration goes on where the host's pictures are.
func TestRungChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sh := newShow(t)
		d := sh.desk()
		host, rung := sh.open(d, "a", ""), sh.open(d, "a/360p", "")
		// Keyframes at 1700 ms and so on: a third of a millisecond beside the host's grid.
		of := mediatest.Video{Timescale: 1000, Start: 33, GOP: 50}
		announce(t, host, of.Track())
		announce(t, rung, of.Track())
		var both sync.WaitGroup
		both.Go(func() { play(t, host, of.Units(900)) })
		units := of.Units(900)
		play(t, rung, units[:460])
		changed := of.Track()
		changed.Config = append(slices.Clone(changed.Config), 0)
		announce(t, rung, changed)
		play(t, rung, units[460:])
		both.Wait()
		ids := sh.contributed()
		got := sh.units(ids[0])
		if len(ids) != 1 || sh.epochs() != 1 || len(got) < 780 {
			t.Fatalf("tracks %v are beside the host's, in %d epochs; %d pictures have come through", ids, sh.epochs(), len(got))
		}
		sameTicks(t, "rendition", sh.units(1), got, 1)
	})
}

// Two encoders' clocks drift: the rendition is moved back to the host's keyframes again and again.
func TestRungDrifts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sh := newShow(t)
		d := sh.desk()
		host, rung := sh.open(d, "a", ""), sh.open(d, "a/360p", "")
		announce(t, rung, mediatest.Video{Timescale: 1000}.Track())
		var both sync.WaitGroup
		both.Go(func() { play(t, host, rtmp(t, host, 120)) })
		units := mediatest.Video{Timescale: 1000, Start: 9000}.Units(30 * 120)
		for i := range units {
			by := int64(i) * 500 / 30 / 1000 // 500 millionths
			units[i].DTS, units[i].PTS = units[i].DTS+by, units[i].PTS+by
		}
		both.Go(func() {
			for range 10 {
				time.Sleep(10 * time.Second)
				sh.read() // before the log forgets
			}
		})
		play(t, rung, units)
		both.Wait()
		worst := time.Duration(0)
		keys := make(map[int]int64)
		for _, au := range sh.units(1) {
			if au.RandomAccess {
				keys[mediatest.Index(au.Data)] = au.PTS
			}
		}
		for _, au := range sh.units(sh.contributed()[0]) {
			if pts, ok := keys[mediatest.Index(au.Data)]; ok {
				worst = max(worst, media.Duration(au.PTS-pts, videoTimescale).Abs())
			}
		}
		if worst > 10*time.Millisecond {
			t.Errorf("keyframes are up to %v apart", worst)
		}
		if n := sh.repairs()[repairDrift]; n < 5 {
			t.Errorf("the rendition was moved %d times", n)
		}
	})
}

// A rendition with other keyframes stands by the clock; the packager leaves it out, and its host is told.
func TestRungCrooked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sh := newShow(t)
		d := sh.desk()
		host, rung := sh.open(d, "a", ""), sh.open(d, "a/360p", "")
		crooked := mediatest.Video{Timescale: 1000, GOP: 100_000}
		announce(t, rung, crooked.Track())
		var both sync.WaitGroup
		both.Go(func() { play(t, host, rtmp(t, host, 30)) })
		time.Sleep(time.Second)
		play(t, rung, crooked.Units(30*30))
		both.Wait()
		remarks := mustStream(t, sh).Status().Remarks
		if len(remarks) != 1 || len(sh.contributed()) != 1 {
			t.Errorf("tracks %v, and the remarks %v", sh.contributed(), remarks)
		}
	})
}

// The clock of an encoder with several tracks jumps: all of them get over it alike.
func TestMultitrackJumps(t *testing.T) {
	for _, by := range []int64{3_600_000, -5_000_000, 7_777} {
		synctest.Test(t, func(t *testing.T) {
			sh := newShow(t)
			s := sh.session()
			small, half := mediatest.Video{ID: 4, Timescale: 1000}, mediatest.Video{ID: 6, Timescale: 1000, RateNum: 15, RateDen: 1, GOP: 30}
			tracks := []media.Track{half.Track(), video.Track(), audio.Track(), small.Track()}
			s.ExpectTracks(3, 1)
			announce(t, s, tracks...)
			units := mediatest.Interleave(tracks, half.Units(300), video.Units(600), audio.Units(930), small.Units(600))
			begin := time.Now()
			for i, au := range units {
				time.Sleep(time.Until(begin.Add(time.Duration(au.DTS) * time.Millisecond)))
				if i > len(units)/2 {
					au.DTS, au.PTS = au.DTS+by, au.PTS+by
				}
				if err := s.Write(au); err != nil {
					t.Fatal(err)
				}
			}
			if n := sh.epochs(); n != 1 || len(sh.units(1)) != 600 || len(sh.units(4)) != 600 || len(sh.units(6)) != 300 {
				t.Errorf("jump by %d: %d epochs; %d, %d, %d pictures", by, n, len(sh.units(1)), len(sh.units(4)), len(sh.units(6)))
			}
			steps(t, "sound", sh.units(2), 1024, 1)
			steps(t, "lead", sh.units(1), 3000, 2)
			sameTicks(t, "second size", sh.units(1), sh.units(4), 1)
			sameTicks(t, "third size", sh.units(1), sh.units(6), 1)
			if n := sh.repairs()[repairJump]; n < 1 || n > 4 {
				t.Errorf("jump by %d: %d jumps are counted", by, n)
			}
		})
	}
}
