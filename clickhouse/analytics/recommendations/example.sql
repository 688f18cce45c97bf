-- How often are recommendations clicked, by place and strategy?
SELECT surface, strategy, count() AS impressions, count(clicked_at) AS clicks, round(clicks / impressions, 4) AS click_rate
FROM analytics.recommendations
GROUP BY surface, strategy
ORDER BY impressions DESC
