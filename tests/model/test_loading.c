/* Loadings that end before their end: nobody waits any more, or the program ends. With the shipped model, whose loading
 * is held where its first tensors are prepared: what happens meanwhile does not depend on how fast anything is. */
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/cpu.h"
#include "model/model.h"
#include "prepared_files.h"
#include "residency_fixture.h"
#include "test.h"

static char tiny[4096], scratch[4096];

/* Of a residency of one loading. */
typedef struct gate {
    pd_residency *residency;
    char cache[4096 + 32];
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_shut, is_reached;
    int n_steps; /* told since it was opened */
    double last; /* of the fractions told */
    bool went_back;
} gate;

/* Nobody but the loader is held. */
static void pass_gate(void *user)
{
    gate *g = user;
    char name[16] = "";
    (void)pthread_getname_np(pthread_self(), name, sizeof name);
    const double fraction = look(g->residency, tiny, PD_PART_TEXT).resident.fraction;
    if (strcmp(name, "pd-loader") != 0 || fraction == 0)
        return;
    pthread_mutex_lock(&g->lock);
    g->went_back |= fraction < g->last;
    g->last = fraction;
    g->n_steps += !g->is_shut;
    g->is_reached = true;
    pthread_cond_broadcast(&g->changed);
    while (g->is_shut)
        pthread_cond_wait(&g->changed, &g->lock);
    pthread_mutex_unlock(&g->lock);
}

static bool make_gate(gate *g, const char *name)
{
    *g = (gate){ .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER, .is_shut = true };
    (void)snprintf(g->cache, sizeof g->cache, "%s/%s", scratch, name);
    const pd_residency_options options = {
        .cpu_mask = pd_cpu_detect(), .cache_dir = g->cache, .changed = pass_gate, .changed_user = g
    };
    return pd_residency_create(&g->residency, &options, NULL) == PD_OK;
}

static void reach_gate(gate *g)
{
    pthread_mutex_lock(&g->lock);
    while (!g->is_reached)
        pthread_cond_wait(&g->changed, &g->lock);
    pthread_mutex_unlock(&g->lock);
}

static void open_gate(gate *g)
{
    pthread_mutex_lock(&g->lock);
    g->is_shut = false;
    pthread_cond_broadcast(&g->changed);
    pthread_mutex_unlock(&g->lock);
}

/* Nobody waits any more: the loading ends where it is. */
static void check_it_ends(gate *g, pd_residence state)
{
    open_gate(g);
    CHECK(comes_to(g->residency, PD_PART_TEXT, state));
    CHECK(g->n_steps == 0 && count_prepared(g->cache) == 0);
}

/* Begins to borrow, is cancelled at the gate, and goes. */
static void borrow_and_give_up(gate *g)
{
    atomic_bool cancelled = false;
    pthread_t thread;
    borrower b = { .residency = g->residency, .dir = tiny, .cancelled = &cancelled };
    REQUIRE(pthread_create(&thread, NULL, borrow_in_thread, &b) == 0);
    reach_gate(g);
    atomic_store(&cancelled, true);
    pthread_join(thread, NULL);
    CHECK(b.status == PD_ERR_CANCELLED && !b.lease.entry);
    CHECK(state_of(g->residency, PD_PART_TEXT) == PD_RESIDENCE_LOADING);
}

static void a_loading_that_nobody_waits_for_ends_and_leaves_nothing(void)
{
    gate g;
    pd_lease lease = { 0 };
    REQUIRE(make_gate(&g, "given-up"));
    borrow_and_give_up(&g);
    check_it_ends(&g, PD_RESIDENCE_COLD);
    CHECK(pd_residency_borrow(g.residency, tiny, PD_PART_TEXT, NULL, &lease, NULL) == PD_OK);
    CHECK(count_prepared(g.cache) == 1);
    pd_residency_return(g.residency, &lease);
    pd_residency_free(&g.residency);
}

static void who_still_waits_keeps_a_loading_going(void)
{
    gate g;
    pthread_t thread;
    REQUIRE(make_gate(&g, "shared"));
    borrower other = { .residency = g.residency, .dir = tiny };
    REQUIRE(pthread_create(&thread, NULL, borrow_in_thread, &other) == 0);
    reach_gate(&g); /* it is the other's loading */
    borrow_and_give_up(&g);
    open_gate(&g);
    pthread_join(thread, NULL);
    CHECK(other.status == PD_OK && g.n_steps > 5 && !g.went_back); /* and it was not begun anew */
    pd_residency_return(g.residency, &other.lease);
    pd_residency_free(&g.residency);
}

static void who_comes_before_a_loading_has_ended_keeps_it_going(void)
{
    gate g;
    REQUIRE(make_gate(&g, "taken-up"));
    borrow_and_give_up(&g);
    pd_residency_prefetch(g.residency, tiny, PD_PART_TEXT);
    open_gate(&g);
    CHECK(comes_to(g.residency, PD_PART_TEXT, PD_RESIDENCE_READY) && count_prepared(g.cache) == 1);
    CHECK(g.n_steps > 5 && !g.went_back);
    pd_residency_free(&g.residency);
}

static void what_was_prefetched_is_loaded_for_nobody_until_it_is_unloaded(void)
{
    gate g;
    REQUIRE(make_gate(&g, "prefetched"));
    pd_residency_prefetch(g.residency, tiny, PD_PART_TEXT);
    borrow_and_give_up(&g);
    open_gate(&g);
    CHECK(comes_to(g.residency, PD_PART_TEXT, PD_RESIDENCE_READY) && count_prepared(g.cache) == 1);
    pd_residency_free(&g.residency);

    REQUIRE(make_gate(&g, "unloaded"));
    pd_residency_prefetch(g.residency, tiny, PD_PART_TEXT);
    reach_gate(&g);
    CHECK(pd_residency_unload(g.residency, tiny, NULL) == PD_OK);
    check_it_ends(&g, PD_RESIDENCE_COLD);
    pd_residency_free(&g.residency);
}

static void a_program_that_ends_waits_for_no_loading(void)
{
    gate g;
    pthread_t thread;
    pd_lease lease = { 0 };
    REQUIRE(make_gate(&g, "stopped"));
    pd_residency_prefetch(g.residency, tiny, PD_PART_TEXT);
    pd_residency_prefetch(g.residency, tiny, PD_PART_VISION); /* its turn comes later */
    borrower waits = { .residency = g.residency, .dir = tiny };
    REQUIRE(pthread_create(&thread, NULL, borrow_in_thread, &waits) == 0);
    reach_gate(&g);
    pd_residency_stop(g.residency);
    pthread_join(thread, NULL); /* while the loader stands at the gate */
    CHECK(waits.status == PD_ERR_CANCELLED && waits.error.message[0] && !waits.lease.entry);
    CHECK(state_of(g.residency, PD_PART_VISION) == PD_RESIDENCE_COLD);
    check_it_ends(&g, PD_RESIDENCE_COLD);
    CHECK(pd_residency_borrow(g.residency, tiny, PD_PART_VISION, NULL, &lease, NULL) == PD_ERR_CANCELLED);
    pd_residency_prefetch(g.residency, tiny, PD_PART_VISION);
    CHECK(state_of(g.residency, PD_PART_VISION) == PD_RESIDENCE_COLD);
    pd_residency_free(&g.residency);
}

static void what_was_never_made_can_be_stopped(void)
{
    pd_residency *residency = NULL;
    pd_residency_stop(residency); /* a program that ends because it could not begin */
    pd_residency_free(&residency);
    CHECK(!residency);
}

static void what_is_there_can_be_borrowed_to_the_end(void)
{
    gate g;
    pd_lease lease = { 0 };
    REQUIRE(make_gate(&g, "there"));
    open_gate(&g);
    REQUIRE(pd_residency_borrow(g.residency, tiny, PD_PART_TEXT, NULL, &lease, NULL) == PD_OK);
    pd_residency_return(g.residency, &lease);
    pd_residency_stop(g.residency);
    CHECK(pd_residency_borrow(g.residency, tiny, PD_PART_TEXT, NULL, &lease, NULL) == PD_OK);
    pd_residency_return(g.residency, &lease);
    pd_residency_free(&g.residency);
}

int main(void)
{
    const char *source = getenv("PD_SOURCE");
    if (!source)
        SKIP_ALL("PD_SOURCE is not set: run it through meson test");
    (void)snprintf(tiny, sizeof tiny, "%s/models/tiny", source);
    (void)snprintf(scratch, sizeof scratch, "/tmp/pd-test-loading-XXXXXX");
    if (!mkdtemp(scratch))
        return 1;
    RUN(a_loading_that_nobody_waits_for_ends_and_leaves_nothing);
    RUN(who_still_waits_keeps_a_loading_going);
    RUN(who_comes_before_a_loading_has_ended_keeps_it_going);
    RUN(what_was_prefetched_is_loaded_for_nobody_until_it_is_unloaded);
    RUN(a_program_that_ends_waits_for_no_loading);
    RUN(what_was_never_made_can_be_stopped);
    RUN(what_is_there_can_be_borrowed_to_the_end);
    return TEST_RESULT();
}
