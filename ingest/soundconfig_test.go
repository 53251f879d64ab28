package ingest

import (
	"math"
	"strings"
	"testing"
)

func TestSoundConfig(t *testing.T) {
	if s := (Sound{}).WithDefaults(); s.Convert != ConvertAuto || s.Ducking != 0 || s.Silence || !(Sound{}).Converts() {
		t.Errorf("defaults: %+v", s)
	}
	for _, test := range []struct {
		sound Sound
		wrong string
	}{
		{Sound{}, ""},
		{Sound{Convert: ConvertOff, Ducking: 60}, ""},
		{Sound{Convert: "yes"}, "convert"},
		{Sound{Ducking: -1}, "ducking"},
		{Sound{Ducking: 60.5}, "ducking"},
		{Sound{Ducking: Decibels(math.Inf(1))}, "ducking"},
	} {
		err := test.sound.Validate()
		if (err != nil) != (test.wrong != "") || err != nil && !strings.HasPrefix(err.Error(), test.wrong+" is ") {
			t.Errorf("%+v: %v", test.sound, err)
		}
	}
}

func TestDecibels(t *testing.T) {
	for text, want := range map[string]Decibels{"off": 0, "0": 0, "0dB": 0, "12dB": 12, "7.5 dB": 7.5, "-3dB": -3} {
		var d Decibels
		if err := d.UnmarshalText([]byte(text)); err != nil || d != want {
			t.Errorf("%q is %v, %v", text, d, err)
		}
		var again Decibels
		if err := again.UnmarshalText([]byte(d.String())); err != nil || again != d {
			t.Errorf("%v is read as %v, %v", d, again, err)
		}
	}
	for _, text := range []string{"", "dB", "12", "12 db", "NaNdB", "loud", "12dBdB"} {
		var d Decibels
		if err := d.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is %v", text, d)
		}
	}
}
