/* peer_gst.c - the peer for a fused node: GStreamer's `identity`.
 *
 * fakesrc ! identity x k ! fakesink, all quiet, unsynchronised, on one thread,
 * as `afferent` runs fused nodes; timed from PLAYING to end of stream for
 * several k. The slope over k is what one more node costs a buffer: source,
 * sink and start-up cancel out.
 *
 * Not here: queues and threads. */

#include <gst/gst.h>

#include "bench.h"

enum { BUFFERS = 50000 };

static GstElement *element_add(GstElement *pipeline, const char *factory, GstElement *after)
{
    GstElement *e = gst_element_factory_make(factory, NULL);

    if (!e)
        return NULL;
    gst_bin_add(GST_BIN(pipeline), e);
    if (after && !gst_element_link(after, e))
        return NULL;
    return e;
}

static GstElement *pipeline_new(int nodes)
{
    GstElement *pipeline = gst_pipeline_new(NULL);
    GstElement *last = element_add(pipeline, "fakesrc", NULL);
    int i;

    if (!last)
        return NULL;
    g_object_set(last, "num-buffers", BUFFERS, "sizetype", 2, "sizemax", 64, "filltype", 1,
                 "silent", TRUE, "signal-handoffs", FALSE, NULL);
    for (i = 0; i < nodes && last; i++) {
        last = element_add(pipeline, "identity", last);
        if (last)
            g_object_set(last, "silent", TRUE, "signal-handoffs", FALSE, NULL);
    }
    last = last ? element_add(pipeline, "fakesink", last) : NULL;
    if (!last)
        return NULL;
    g_object_set(last, "sync", FALSE, "silent", TRUE, "signal-handoffs", FALSE,
                 "enable-last-sample", FALSE, "qos", FALSE, NULL);
    return pipeline;
}

/* Returns nanoseconds a buffer, or a negative number. */
static double pipeline_time(int nodes)
{
    GstElement *pipeline = pipeline_new(nodes);
    GstMessage *message;
    GstBus *bus;
    double began, ended;
    int ok;

    if (!pipeline)
        return -1;
    gst_element_set_state(pipeline, GST_STATE_PAUSED);
    if (gst_element_get_state(pipeline, NULL, NULL, GST_CLOCK_TIME_NONE) != GST_STATE_CHANGE_SUCCESS)
        return -1;
    bus = gst_element_get_bus(pipeline);
    began = bench_now_ns();
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    message = gst_bus_timed_pop_filtered(bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    ended = bench_now_ns();
    ok = GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS;
    gst_message_unref(message);
    gst_object_unref(bus);
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(pipeline);
    return ok ? (ended - began) / BUFFERS : -1;
}

int main(int argc, char **argv)
{
    static const int counts[] = { 0, 1, 2, 4, 8, 16 };
    enum { COUNTS = sizeof counts / sizeof *counts };
    double sum_k = 0, sum_t = 0, sum_kk = 0, sum_kt = 0, t;
    int i;

    gst_init(&argc, &argv);
    for (i = 0; i < COUNTS; i++) {
        t = pipeline_time(counts[i]);
        if (t < 0) {
            fprintf(stderr, "peer_gst: GStreamer did not run the pipeline of %d nodes\n", counts[i]);
            return 1;
        }
        sum_k += counts[i];
        sum_t += t;
        sum_kk += (double)counts[i] * counts[i];
        sum_kt += counts[i] * t;
    }
    bench_print("gst_identity_node",
                (COUNTS * sum_kt - sum_k * sum_t) / (COUNTS * sum_kk - sum_k * sum_k), "ns/record");
    return 0;
}
