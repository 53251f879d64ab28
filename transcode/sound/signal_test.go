package sound

import (
	"encoding/binary"
	"math"

	"pushcart/media"
)

// signal is sound: its value at a time in seconds since the show began.
type signal func(seconds float64) float64

// clicks is silence with a pulse of 2 ms at each of these times.
func clicks(times ...float64) signal {
	return func(s float64) float64 {
		for _, at := range times {
			if s >= at-1e-9 && s < at+0.002 {
				return 0.8
			}
		}
		return 0
	}
}

// tone is a sine of some amplitude between two times.
func tone(hz, amplitude, from, to float64) signal {
	return func(s float64) float64 {
		if s < from || s >= to {
			return 0
		}
		return amplitude * math.Sin(2*math.Pi*hz*s)
	}
}

// pcm is sound without loss: its units are 20 ms long.
type pcm struct {
	track media.Track
	sig   signal
}

func newPCM(codec media.Codec, rate int64, sig signal) pcm {
	return pcm{media.Track{ID: 1, Codec: codec, Timescale: rate, Config: []byte{1}, Internal: true}, sig}
}

// units returns those from one time to another, in seconds since the show began.
func (p pcm) units(from, to float64) []media.AccessUnit {
	n := p.track.Timescale / 50
	var list []media.AccessUnit
	for at := int64(from * float64(p.track.Timescale)); at < int64(to*float64(p.track.Timescale)); at += n {
		au := media.AccessUnit{Track: p.track.ID, DTS: at, PTS: at, RandomAccess: true}
		for i := range n {
			v := p.sig(float64(at+i) / float64(p.track.Timescale))
			switch sample := int16(math.Round(v * 32767)); p.track.Codec {
			case media.CodecPCMA:
				au.Data = append(au.Data, aLaw(sample))
			case media.CodecL16:
				au.Data = binary.BigEndian.AppendUint16(au.Data, uint16(sample))
			}
		}
		list = append(list, au)
	}
	return list
}

// aLaw is ITU-T G.711 table 1a, for a sample of 16 bits.
func aLaw(v int16) byte {
	mask, m := byte(0xD5), int(v)
	if v < 0 {
		mask, m = 0x55, -int(v)-1
	}
	m >>= 3
	segment := 0
	for m>>(segment+5) > 0 {
		segment++
	}
	low := m >> 1
	if segment > 1 {
		low = m >> segment
	}
	return (byte(segment)<<4 | byte(low)&15) ^ mask
}
