package transcode

import (
	"maps"
	"slices"
	"strconv"

	"pushcart/media"
)

// encoder is how one of ffmpeg's encoders is made to do what a rung of a live ladder needs: keyframes where they are
// asked for and nowhere else, no pictures that wait for later ones, a rate that does not run away.
type encoder struct {
	codec media.Codec
	// preset is the default.
	preset string
	// args are the encoder's options but for rate and preset.
	args []string
	// pixels is the end of the filter chain, which hands the pictures over as the encoder takes them.
	pixels string
	// device is the option that opens a GPU, "" for encoders that need none.
	device string
}

// defaultEncoders are those of the codecs that a rung can have.
var defaultEncoders = map[media.Codec]string{
	media.CodecH264: "libx264",
	media.CodecHEVC: "libx265",
	media.CodecAV1:  "libaom-av1",
}

// never is a keyframe interval that no show reaches: keyframes come when they are asked for.
const never = "100000"

const software, surface = "format=yuv420p", "format=nv12,hwupload"

// encoders has those that pushcart knows how to drive. To add one, say here how. TestEncoders tries those that need no
// GPU.
var encoders = map[string]encoder{
	"libx264": {media.CodecH264, "veryfast",
		[]string{"-tune", "zerolatency", "-bf", "0", "-g", never, "-sc_threshold", "0", "-forced-idr", "1",
			// zerolatency takes the frame rate for granted; phones' are not constant, and a rung may have fewer.
			"-x264-params", "force-cfr=0"}, software, ""},
	"libx265": {media.CodecHEVC, "ultrafast",
		[]string{"-tune", "zerolatency", "-bf", "0", "-g", never, "-forced-idr", "1",
			"-x265-params", "scenecut=0:open-gop=0:log-level=error"}, software, ""},
	// Before SVT-AV1 1.8 it could not place keyframes: the ladder then says so and stops.
	"libsvtav1": {media.CodecAV1, "11",
		[]string{"-g", never, "-svtav1-params", "pred-struct=1:rc=2:scd=0"}, software, ""},
	"libaom-av1": {media.CodecAV1, "8",
		[]string{"-usage", "realtime", "-lag-in-frames", "0", "-row-mt", "1", "-g", never, "-keyint_min", never}, software, ""},

	"h264_nvenc": {media.CodecH264, "p4", nvenc, "format=nv12", ""},
	"hevc_nvenc": {media.CodecHEVC, "p4", nvenc, "format=nv12", ""},
	"av1_nvenc":  {media.CodecAV1, "p4", nvenc, "format=nv12", ""},

	"h264_vaapi": {media.CodecH264, "", vaapi, surface, "-vaapi_device"},
	"hevc_vaapi": {media.CodecHEVC, "", vaapi, surface, "-vaapi_device"},
	"av1_vaapi":  {media.CodecAV1, "", vaapi, surface, "-vaapi_device"},

	"h264_qsv": {media.CodecH264, "veryfast", qsv, "format=nv12", "-qsv_device"},
	"hevc_qsv": {media.CodecHEVC, "veryfast", qsv, "format=nv12", "-qsv_device"},
	"av1_qsv":  {media.CodecAV1, "veryfast", qsv, "format=nv12", "-qsv_device"},

	"h264_videotoolbox": {media.CodecH264, "", videotoolbox, "format=nv12", ""},
	"hevc_videotoolbox": {media.CodecHEVC, "", videotoolbox, "format=nv12", ""},
}

var (
	nvenc = []string{"-tune", "ll", "-rc", "cbr", "-bf", "0", "-g", never, "-forced-idr", "1", "-no-scenecut", "1",
		"-delay", "0", "-zerolatency", "1"}
	vaapi        = []string{"-bf", "0", "-g", never, "-async_depth", "1"}
	qsv          = []string{"-bf", "0", "-g", never, "-async_depth", "1", "-forced_idr", "1"}
	videotoolbox = []string{"-realtime", "1", "-bf", "0", "-g", never}
)

func encoderByName(name string) (encoder, bool) {
	e, ok := encoders[name]
	return e, ok
}

func encoderNames() []string { return slices.Sorted(maps.Keys(encoders)) }

// options returns the rung's encoder and all its options.
func (e encoder) options(r Rung) []string {
	rate := strconv.Itoa(int(r.BitRate))
	args := []string{"-c:v", r.Encoder}
	preset := r.Preset
	if preset == "" {
		preset = e.preset
	}
	switch {
	case preset == "":
	case r.Encoder == "libaom-av1":
		args = append(args, "-cpu-used", preset)
	default:
		args = append(args, "-preset", preset)
	}
	args = append(args, e.args...)
	args = append(args, "-b:v", rate)
	if r.Encoder != "libsvtav1" { // which knows -b:v only
		args = append(args, "-maxrate", rate, "-bufsize", rate)
	}
	return append(args, r.Options...)
}
