package obs

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// maker is a make of encoder.
type maker struct {
	// types are OBS's names of its encoders, by codec.
	types map[string]string
	// settings are its own names for: no B-frames, little delay.
	settings map[string]any
}

// makers are those that OBS may have; "x264" it always has.
var makers = map[string]maker{
	"x264": {map[string]string{"h264": "obs_x264"},
		map[string]any{"preset": "veryfast", "tune": "zerolatency", "bf": 0}},
	"nvenc": {map[string]string{"h264": "obs_nvenc_h264_tex", "hevc": "obs_nvenc_hevc_tex", "av1": "obs_nvenc_av1_tex"},
		map[string]any{"preset": "p4", "tune": "ll", "multipass": "disabled", "lookahead": false, "adaptive_quantization": true, "bf": 0}},
	// Before OBS 31.
	"nvenc-30": {map[string]string{"h264": "jim_nvenc", "hevc": "jim_hevc_nvenc", "av1": "jim_av1_nvenc"},
		map[string]any{"preset2": "p4", "tune": "ll", "multipass": "disabled", "lookahead": false, "psycho_aq": true, "bf": 0}},
	"amf": {map[string]string{"h264": "h264_texture_amf", "hevc": "h265_texture_amf", "av1": "av1_texture_amf"},
		map[string]any{"preset": "balanced", "bf": 0}},
	"qsv": {map[string]string{"h264": "obs_qsv11_v2", "hevc": "obs_qsv11_hevc", "av1": "obs_qsv11_av1"},
		map[string]any{"target_usage": "TU4", "bframes": 0}},
	"videotoolbox": {map[string]string{"h264": "com.apple.videotoolbox.videoencoder.ave.avc", "hevc": "com.apple.videotoolbox.videoencoder.ave.hevc"},
		map[string]any{"bframes": false}},
}

// Makes returns the names that can be asked for.
func Makes() []string { return slices.Sorted(maps.Keys(makers)) }

// PCI vendors, as OBS reports GPUs.
const (
	nvidia = 0x10DE
	amd    = 0x1002
	intel  = 0x8086
)

// make chooses encoders for a host: the GPU's where OBS certainly has them, or else x264. One who asks for an
// encoder that is not there gets no show at all.
func (r *request) make() string {
	if names := r.Client.SupportedEncoders; len(names) > 0 {
		for _, m := range []string{"nvenc", "videotoolbox", "amf", "qsv", "nvenc-30"} {
			if slices.Contains(names, makers[m].types["h264"]) {
				return m
			}
		}
		return "x264"
	}
	system := r.Capabilities.System.Name
	if system == "macOS" && r.Capabilities.System.Arm {
		return "videotoolbox" // all of Apple's own chips have it
	}
	var gpus []int
	for _, g := range r.Capabilities.GPU {
		gpus = append(gpus, g.VendorID)
	}
	switch {
	case slices.Contains(gpus, nvidia) && r.Client.major() < 31:
		return "nvenc-30"
	case slices.Contains(gpus, nvidia):
		return "nvenc"
	case slices.Contains(gpus, amd) && system == "Windows":
		return "amf"
	case slices.Contains(gpus, intel) && system == "Windows":
		return "qsv"
	}
	return "x264"
}

// major is the first number of OBS's version, of a current one if it can't be read.
func (c client) major() int {
	first, _, _ := strings.Cut(c.Version, ".")
	if n, err := strconv.Atoi(first); err == nil {
		return n
	}
	return 32
}

// configure returns the encoder of a rendition in OBS's words. Codecs that the make has no encoder for, or that
// OBS does not support, become H.264.
func (r rendition) configure(by string, supported func(codec string) bool, c Canvas) VideoEncoder {
	m := makers[by]
	name, ok := m.types[r.codec]
	if !ok || !supported(r.codec) {
		r.codec, name = "h264", m.types["h264"]
	}
	settings := maps.Clone(m.settings)
	settings["rate_control"] = "CBR"
	settings["bitrate"] = (r.rate + 500) / 1000
	settings["keyint_sec"] = keyframeInterval
	settings["profile"] = "main"
	if r.codec == "h264" {
		settings["profile"] = "high"
	}
	return VideoEncoder{
		Type: name, Width: r.width, Height: r.height,
		Framerate:    Fraction{c.FPSNum, c.FPSDen * r.divisor},
		GPUScaleType: "OBS_SCALE_BICUBIC", Settings: settings,
	}
}

// checkMake returns an error that says which there are.
func checkMake(by string) error {
	if _, ok := makers[by]; !ok {
		return fmt.Errorf("encoder=%.20q is none that is known: use one of %s", by, strings.Join(Makes(), ", "))
	}
	return nil
}
